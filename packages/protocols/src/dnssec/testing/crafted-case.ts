import { TYPE } from '../../dns/codes.ts'
import type { Message } from '../../dns/message.ts'
import { nameToWire } from '../../dns/names.ts'
import { decodeRrsig, encodeRrsig } from '../../dns/rdata.ts'
import { signRrset } from '../signing/sign-rrset.ts'
import { type AddRecord, DAY, NOW, shopWorld, text, type World, type WorldZone } from './signed-world.ts'
import { type TestAlgorithm, testKey } from './test-keys.ts'

export const NAME = 'alice.user._bitcoin-payment.shop.test.'
export const OWNER = 'alice.user._bitcoin-payment'
export const NOBODY = 'nobody.user._bitcoin-payment.shop.test.'

/** What a validator of others makes of a name: its TXT validate, it is proven absent, it need not be signed, or none. */
export type OtherVerdict = 'secure' | 'denied' | 'insecure' | 'refused'

export type ValidationCase = {
  title: string
  world: World
  /** `secure <value>`, `bogus <code>`, or the bare status. */
  expected: string
  name?: string
  nowSeconds?: number
  /** Where delv or Unbound say something else than we, and why. */
  others?: { delv?: OtherVerdict; unbound?: OtherVerdict; why: string }
  /** Why validators of others cannot be asked. */
  unasked?: string
}

export const alice = (add: AddRecord) => add(OWNER, TYPE.TXT, text('bitcoin:?lno=', 'lno1alice'))
export const VALUE_TEXT = 'bitcoin:?lno=lno1alice'
export const VALUE = `secure ${VALUE_TEXT}`

export function withShop(shop: Omit<WorldZone, 'apex'>): World {
  return shopWorld({ data: alice, ...shop })
}

export function withKey(algorithm: TestAlgorithm): World {
  return withShop({ keys: [testKey(algorithm)] })
}

export function sections(response: Message) {
  return [response.answer, response.authority]
}

export function dropRrsigs(response: Message, covered: (type: number) => boolean): void {
  for (const section of sections(response)) {
    const kept = section.filter(
      ({ type, rdata }) => type !== TYPE.RRSIG || !covered(decodeRrsig(rdata).typeCovered),
    )
    section.splice(0, section.length, ...kept)
  }
}

export const nsec3 = { iterations: 0, salt: new Uint8Array(), optOut: false }
export const dname = (add: AddRecord) => {
  add('user._bitcoin-payment', TYPE.DNAME, nameToWire('people.shop.test.'))
  add('alice.people', TYPE.TXT, text('bitcoin:?lno=people'))
}

export function resign(
  answer: Message['answer'],
  type: number,
  zone: string,
  key: ReturnType<typeof testKey>,
): void {
  const [first, ...rest] = answer.filter((record) => record.type === type)
  if (!first) return
  const window = { inception: NOW - DAY, expiration: NOW + DAY }
  answer.splice(0, answer.length, first, ...rest, signRrset([first, ...rest], zone, key, window))
}

export function editRrsig(
  answer: Message['answer'],
  edit: (rrsig: ReturnType<typeof decodeRrsig>) => ReturnType<typeof decodeRrsig>,
): void {
  for (const record of answer) {
    if (record.type !== TYPE.RRSIG) continue
    const rrsig = decodeRrsig(record.rdata)
    if (rrsig.typeCovered === TYPE.TXT) record.rdata = encodeRrsig(edit(rrsig))
  }
}
