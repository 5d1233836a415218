import { TYPE } from '../../../dns/codes.ts'
import { alice, NOBODY, nsec3, VALUE, type ValidationCase, withShop } from '../crafted-case.ts'
import { type AddRecord, DAY, NOW, shopWorld, tampered, text } from '../signed-world.ts'

const wildcard = (add: AddRecord) => {
  add('*.user._bitcoin-payment', TYPE.TXT, text('bitcoin:?lno=any'))
  add('bob.user._bitcoin-payment', TYPE.TXT, text('bitcoin:?lno=bob'))
}
export const DENIALS: readonly ValidationCase[] = [
  { title: 'no such name, by NSEC', world: withShop({}), name: NOBODY, expected: 'nxdomain' },
  { title: 'no such name, by NSEC3', world: withShop({ denial: nsec3 }), name: NOBODY, expected: 'nxdomain' },
  {
    title: 'no such name, by NSEC3 with salt and iterations',
    world: withShop({ denial: { iterations: 5, salt: Uint8Array.of(0xaa, 0xbb), optOut: false } }),
    name: NOBODY,
    expected: 'nxdomain',
  },
  {
    title: 'NSEC3 with more iterations than RFC 9276 allows',
    world: withShop({ denial: { iterations: 101, salt: new Uint8Array(), optOut: false } }),
    name: NOBODY,
    expected: 'bogus nsec3-iterations',
    others: {
      delv: 'denied',
      unbound: 'denied',
      why: 'RFC 9276 §3.2 lets a validator refuse any but 0; we draw the line at 100, they at 150',
    },
  },
  {
    title: 'no such name in an opt-out span',
    world: withShop({ denial: { ...nsec3, optOut: true } }),
    name: NOBODY,
    expected: 'insecure',
    others: {
      delv: 'denied',
      why: 'delv calls an unsigned denial of a signed zone validated; RFC 5155 §9.2 calls it insecure',
    },
  },
  ...(['nsec', nsec3] as const).flatMap((denial): ValidationCase[] => {
    const by = denial === 'nsec' ? 'NSEC' : 'NSEC3'
    return [
      {
        title: `no such type, by ${by}`,
        world: withShop({ denial }),
        name: 'ns.shop.test.',
        expected: 'nodata',
      },
      {
        title: `an empty non-terminal, by ${by}`,
        world: withShop({ denial }),
        name: 'user._bitcoin-payment.shop.test.',
        expected: 'nodata',
      },
      {
        title: `no TXT at the apex, by ${by}`,
        world: withShop({ denial }),
        name: 'shop.test.',
        expected: 'nodata',
      },
      {
        title: `no such zone, by ${by}`,
        world: shopWorld({}, { denial }),
        name: 'alice.no.test.',
        expected: 'nxdomain',
      },
      {
        title: `a wildcard, with denial of the exact name by ${by}`,
        world: shopWorld({ data: wildcard, denial }),
        expected: 'secure bitcoin:?lno=any',
      },
      {
        title: `a wildcard without the type, by ${by}`,
        world: shopWorld({ denial, data: (add) => add('*', TYPE.A, Uint8Array.of(127, 0, 0, 1)) }),
        expected: 'nodata',
      },
      {
        title: `a wildcard answer without the denial of the exact name by ${by}`,
        world: tampered(shopWorld({ data: wildcard, denial }), ({ answer, authority }) => {
          if (answer.length > 0) authority.length = 0
        }),
        expected: 'bogus denial-missing',
      },
      {
        title: `a wildcard expanded over a name that exists, by ${by}`,
        world: tampered(shopWorld({ data: wildcard, denial }), (response, name, type) => {
          if (type !== TYPE.TXT) return
          const other = shopWorld({ data: wildcard, denial }).answer(NOBODY, TYPE.TXT)
          response.answer = other.answer.map((record) => ({ ...record, name }))
          response.authority = other.authority
        }),
        name: 'bob.user._bitcoin-payment.shop.test.',
        expected: 'bogus denial-missing',
      },
      {
        title: `NXDOMAIN forged for a name that exists, by ${by}`,
        world: tampered(withShop({ denial }), (response, _, type) => {
          if (type !== TYPE.TXT) return
          const { rcode, answer, authority } = withShop({ denial }).answer(NOBODY, TYPE.TXT)
          Object.assign(response, { rcode, answer, authority })
        }),
        expected: 'bogus denial-missing',
      },
      {
        title: `an insecure delegation, by ${by}`,
        world: shopWorld({ data: alice, ds: null, signWith: [] }, { denial }),
        expected: 'insecure',
      },
    ]
  }),
  {
    title: 'an insecure delegation in an opt-out span',
    world: shopWorld({ data: alice, ds: null, signWith: [] }, { denial: { ...nsec3, optOut: true } }),
    expected: 'insecure',
  },
  {
    title: 'a secure delegation in an opt-out zone',
    world: shopWorld({ data: alice }, { denial: { ...nsec3, optOut: true } }),
    expected: VALUE,
  },
  {
    title: 'a wildcard in an opt-out span',
    world: shopWorld({ data: wildcard, denial: { ...nsec3, optOut: true } }),
    expected: 'insecure',
  },
  {
    title: 'NXDOMAIN without any proof',
    world: tampered(withShop({}), (response, _, type) => {
      if (type !== TYPE.TXT) return
      response.rcode = 3
      response.answer.length = 0
      response.authority.length = 0
    }),
    expected: 'bogus denial-missing',
  },
  {
    title: 'a denial whose signature has expired',
    world: withShop({ inception: NOW - 9 * DAY, expiration: NOW - 2 * DAY }),
    name: NOBODY,
    expected: 'bogus signature-expired',
  },
]
