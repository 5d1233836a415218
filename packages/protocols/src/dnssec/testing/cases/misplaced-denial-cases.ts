import { TYPE } from '../../../dns/codes.ts'
import type { Message } from '../../../dns/message.ts'
import { alice, dname, dropRrsigs, NAME, nsec3, type ValidationCase } from '../crafted-case.ts'
import { shopWorld, tampered, type World } from '../signed-world.ts'

/** Every denial record of `test.` that some absent name brings to light. */
function denialsOfTest(world: World): Message['authority'] {
  const absent = ['shop0', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'zz'].map((label) => `${label}.test.`)
  return absent.flatMap((name) =>
    world.answer(name, TYPE.TXT).authority.filter(({ type }) => type !== TYPE.SOA),
  )
}

/** True records in the wrong place (RFC 6840 §4.1, §4.4). */
export const MISPLACED_DENIALS: readonly ValidationCase[] = (['nsec', nsec3] as const).flatMap(
  (denial): ValidationCase[] => {
    const by = denial === 'nsec' ? 'NSEC' : 'NSEC3'
    const world = shopWorld({ data: alice }, { denial })
    const denyWithParent = tampered(world, (response, _, type) => {
      if (type !== TYPE.TXT) return
      response.answer = []
      response.authority = denialsOfTest(world)
    })
    const withDname = shopWorld({ data: dname, denial })
    return [
      {
        title: `the parent’s ${by} denying a name below the delegation`,
        world: denyWithParent,
        expected: 'bogus denial-missing',
      },
      {
        title: `the parent’s ${by} denying a type at the delegation`,
        world: denyWithParent,
        name: 'shop.test.',
        expected: 'bogus denial-missing',
      },
      {
        title: `the ${by} of a DNAME denying a name below it`,
        world: tampered(withDname, (response, name, type) => {
          if (type !== TYPE.TXT || name !== NAME) return
          response.answer = []
          response.authority = ['user0._bitcoin-payment', 'a', 'b', 'c', 'd', 'e', 'zz'].flatMap(
            (label) => withDname.answer(`${label}.shop.test.`, TYPE.TXT).authority,
          )
        }),
        expected: 'bogus denial-missing',
      },
      {
        title: `the child’s own ${by} denying its DS`,
        world: tampered(shopWorld({ data: alice, denial }), (response, name, type) => {
          if (type === TYPE.TXT) dropRrsigs(response, () => true)
          if (type !== TYPE.DS || name !== 'shop.test.') return
          response.answer = []
          response.authority = shopWorld({ denial }).answer(name, TYPE.TXT).authority
        }),
        expected: 'bogus wrong-signer',
      },
    ]
  },
)
