import { TYPE } from '../../dns/codes.ts'
import type { Message } from '../../dns/message.ts'
import { nameToWire } from '../../dns/names.ts'
import { decodeRrsig, encodeDnskey, encodeRrsig } from '../../dns/rdata.ts'
import { FLAG_REVOKE, FLAG_SEP, FLAG_ZONE } from '../keys.ts'
import { signRrset } from '../signing/sign-rrset.ts'
import {
  type AddRecord,
  DAY,
  makeWorld,
  NOW,
  shopWorld,
  tampered,
  text,
  type World,
  type WorldZone,
} from './signed-world.ts'
import { type TestAlgorithm, testKey } from './test-keys.ts'

export const NAME = 'alice.user._bitcoin-payment.shop.test.'
const OWNER = 'alice.user._bitcoin-payment'

export type ValidationCase = {
  title: string
  world: World
  /** `secure <value>`, `bogus <code>`, or the bare status. */
  expected: string
  name?: string
  nowSeconds?: number
  /** We refuse what delv accepts; or delv cannot be asked, or answers differently by design. */
  delv?: 'stricter' | 'not-applicable'
}

const alice = (add: AddRecord) => add(OWNER, TYPE.TXT, text('bitcoin:?lno=', 'lno1alice'))
export const VALUE_TEXT = 'bitcoin:?lno=lno1alice'
const VALUE = `secure ${VALUE_TEXT}`

export function withShop(shop: Omit<WorldZone, 'apex'>): World {
  return shopWorld({ data: alice, ...shop })
}

function withKey(algorithm: TestAlgorithm): World {
  return withShop({ keys: [testKey(algorithm)] })
}

function sections(response: Message) {
  return [response.answer, response.authority]
}

function dropRrsigs(response: Message, covered: (type: number) => boolean): void {
  for (const section of sections(response)) {
    const kept = section.filter(
      ({ type, rdata }) => type !== TYPE.RRSIG || !covered(decodeRrsig(rdata).typeCovered),
    )
    section.splice(0, section.length, ...kept)
  }
}

const nsec3 = { iterations: 0, salt: new Uint8Array(), optOut: false }
const wildcard = (add: AddRecord) => {
  add('*.user._bitcoin-payment', TYPE.TXT, text('bitcoin:?lno=any'))
  add('bob.user._bitcoin-payment', TYPE.TXT, text('bitcoin:?lno=bob'))
}
const cname = (target: string) => (add: AddRecord) => {
  add(OWNER, TYPE.CNAME, nameToWire(target))
  add('real', TYPE.TXT, text('bitcoin:?lno=real'))
}
const dname = (add: AddRecord) => {
  add('user._bitcoin-payment', TYPE.DNAME, nameToWire('people.shop.test.'))
  add('alice.people', TYPE.TXT, text('bitcoin:?lno=people'))
}

const valid: ValidationCase[] = [
  { title: 'a signed TXT', world: withShop({}), expected: VALUE },
  {
    title: 'a name asked in mixed case',
    world: withShop({}),
    name: 'ALICE.User._BITCOIN-payment.Shop.TEST',
    expected: VALUE,
  },
  {
    title: 'owner names answered in mixed case',
    world: tampered(withShop({}), ({ answer }) => {
      for (const record of answer) if (record.type === TYPE.TXT) record.name = record.name.toUpperCase()
      for (const record of answer) if (record.type === TYPE.RRSIG) record.name = record.name.toUpperCase()
    }),
    expected: VALUE,
    delv: 'not-applicable',
  },
  { title: 'RSA 2048 with SHA-256 (algorithm 8)', world: withKey('rsa-2048'), expected: VALUE },
  { title: 'RSA 1024 with SHA-256', world: withKey('rsa-1024'), expected: VALUE },
  { title: 'P-384 (algorithm 14)', world: withKey('p384'), expected: VALUE },
  { title: 'Ed25519 (algorithm 15)', world: withKey('ed25519'), expected: VALUE },
  { title: 'a DS with a SHA-384 digest', world: withShop({ ds: 4 }), expected: VALUE },
  { title: 'a DS with a SHA-1 digest', world: withShop({ ds: 1 }), expected: VALUE },
  { title: 'a zone with NSEC3', world: withShop({ denial: nsec3 }), expected: VALUE },
  {
    title: 'two keys, each signing',
    world: withShop({ keys: [testKey('p256', '1'), testKey('ed25519', '2')] }),
    expected: VALUE,
  },
  {
    title: 'two TXT at one name come back as two values',
    world: withShop({ data: (add) => add(OWNER, TYPE.TXT, text('bitcoin:?lno=a'), text('bitcoin:?lno=b')) }),
    expected: 'secure bitcoin:?lno=a | bitcoin:?lno=b',
  },
  {
    title: 'a zone whose parent label is no zone cut',
    world: makeWorld([{ apex: '.' }, { apex: 'shop.test.', data: alice }]),
    expected: VALUE,
  },
  {
    title: 'a TXT at the apex of a zone',
    world: withShop({ data: (add) => add('', TYPE.TXT, text('bitcoin:apex')) }),
    name: 'shop.test.',
    expected: 'secure bitcoin:apex',
  },
  {
    title: 'the first second of a signature',
    world: withShop({ inception: NOW }),
    expected: VALUE,
    delv: 'not-applicable',
  },
  {
    title: 'the last second of a signature',
    world: withShop({ expiration: NOW }),
    expected: VALUE,
    delv: 'not-applicable',
  },
]

const tooLong: World = shopWorld({
  data: (add) => add('user._bitcoin-payment', TYPE.DNAME, nameToWire(`${'a'.repeat(60)}.`.repeat(4))),
})
const tooLongName = `${'b'.repeat(60)}.user._bitcoin-payment.shop.test.`

const aliases: ValidationCase[] = [
  {
    title: 'a CNAME',
    world: shopWorld({ data: cname('real.shop.test.') }),
    expected: 'secure bitcoin:?lno=real',
  },
  {
    title: 'a CNAME into another signed zone',
    world: makeWorld([
      { apex: '.' },
      { apex: 'test.' },
      { apex: 'shop.test.', data: cname('bob.other.test.') },
      { apex: 'other.test.', data: (add) => add('bob', TYPE.TXT, text('bitcoin:?lno=other')) },
    ]),
    expected: 'secure bitcoin:?lno=other',
  },
  {
    title: 'a CNAME into an unsigned zone',
    world: makeWorld([
      { apex: '.' },
      { apex: 'test.' },
      { apex: 'shop.test.', data: cname('bob.other.test.') },
      { apex: 'other.test.', ds: null, signWith: [], data: (add) => add('bob', TYPE.TXT, text('x')) },
    ]),
    expected: 'insecure',
    delv: 'not-applicable',
  },
  {
    title: 'a CNAME to nothing',
    world: shopWorld({ data: cname('nobody.shop.test.') }),
    expected: 'nxdomain',
  },
  {
    title: 'a CNAME loop of one',
    world: shopWorld({ data: cname(NAME) }),
    expected: 'bogus alias-loop',
    delv: 'not-applicable',
  },
  {
    title: 'a CNAME loop of two',
    world: shopWorld({
      data: (add) => {
        add(OWNER, TYPE.CNAME, nameToWire('b.shop.test.'))
        add('b', TYPE.CNAME, nameToWire(NAME))
      },
    }),
    expected: 'bogus alias-loop',
    delv: 'not-applicable',
  },
  {
    title: 'a CNAME chain that is too long',
    world: shopWorld({
      data: (add) => {
        add(OWNER, TYPE.CNAME, nameToWire('n1.shop.test.'))
        for (let i = 1; i < 20; i++) add(`n${i}`, TYPE.CNAME, nameToWire(`n${i + 1}.shop.test.`))
        add('n20', TYPE.TXT, text('far'))
      },
    }),
    expected: 'bogus alias-loop',
    delv: 'not-applicable',
  },
  {
    title: 'two CNAMEs at one name',
    world: shopWorld({ data: (add) => add(OWNER, TYPE.CNAME, nameToWire('a.'), nameToWire('b.')) }),
    expected: 'bogus alias-invalid',
    delv: 'not-applicable',
  },
  {
    title: 'an unsigned CNAME',
    world: tampered(shopWorld({ data: cname('real.shop.test.') }), (response) =>
      dropRrsigs(response, (type) => type === TYPE.CNAME),
    ),
    expected: 'bogus signature-missing',
  },
  {
    title: 'a CNAME from a wildcard',
    world: shopWorld({
      data: (add) => {
        add('*.user._bitcoin-payment', TYPE.CNAME, nameToWire('real.shop.test.'))
        add('real', TYPE.TXT, text('bitcoin:?lno=real'))
      },
    }),
    expected: 'secure bitcoin:?lno=real',
  },
  { title: 'a DNAME', world: shopWorld({ data: dname }), expected: 'secure bitcoin:?lno=people' },
  {
    title: 'a DNAME whose synthesized CNAME was forged',
    world: tampered(shopWorld({ data: dname }), ({ answer }) => {
      for (const record of answer) if (record.type === TYPE.CNAME) record.rdata = nameToWire('evil.test.')
    }),
    expected: 'secure bitcoin:?lno=people',
    delv: 'not-applicable',
  },
  {
    title: 'a forged DNAME',
    world: tampered(shopWorld({ data: dname }), ({ answer }) => {
      for (const record of answer) if (record.type === TYPE.DNAME) record.rdata = nameToWire('evil.test.')
    }),
    expected: 'bogus signature-wrong',
  },
  {
    title: 'a DNAME that makes a name too long',
    world: tooLong,
    name: tooLongName,
    expected: 'unavailable',
    delv: 'not-applicable',
  },
]

const forged: ValidationCase[] = [
  {
    title: 'a DNAME that makes a name too long, from a server that does not mind',
    world: tampered(tooLong, (response) => {
      response.rcode = 0
    }),
    name: tooLongName,
    expected: 'bogus alias-invalid',
    delv: 'not-applicable',
  },
  {
    title: 'a forged TXT',
    world: tampered(withShop({}), ({ answer }) => {
      for (const record of answer) if (record.type === TYPE.TXT) record.rdata = text('bitcoin:?lno=thief')
    }),
    expected: 'bogus signature-wrong',
  },
  {
    title: 'a second, forged TXT beside the real one',
    world: tampered(withShop({}), ({ answer }) => {
      const real = answer.find(({ type }) => type === TYPE.TXT)
      if (real) answer.push({ ...real, rdata: text('bitcoin:?lno=thief') })
    }),
    expected: 'bogus signature-wrong',
  },
  {
    title: 'a stripped RRSIG',
    world: tampered(withShop({}), (response) => dropRrsigs(response, (type) => type === TYPE.TXT)),
    expected: 'bogus signature-missing',
  },
  {
    title: 'all DNSSEC records stripped',
    world: tampered(withShop({}), (response) => {
      const dnssec: number[] = [TYPE.RRSIG, TYPE.NSEC, TYPE.DS]
      for (const section of sections(response)) {
        section.splice(0, section.length, ...section.filter(({ type }) => !dnssec.includes(type)))
      }
    }),
    expected: 'bogus signature-missing',
  },
  {
    title: 'only the DS stripped, as if the delegation were unsigned',
    world: tampered(withShop({}), (response, name, type) => {
      dropRrsigs(response, (covered) => covered === TYPE.TXT)
      if (type === TYPE.DS && name === 'shop.test.') response.answer.length = 0
    }),
    expected: 'bogus denial-missing',
  },
  {
    title: 'a signature that has expired',
    world: withShop({ expiration: NOW - 1 }),
    expected: 'bogus signature-expired',
  },
  {
    title: 'a signature from the future',
    world: withShop({ inception: NOW + 3600 }),
    expected: 'bogus signature-not-yet-valid',
  },
  {
    title: 'a signature by another key with the right name',
    world: withShop({ signWith: [testKey('p256', 'thief')] }),
    expected: 'bogus key-missing',
  },
  {
    title: 'zone data signed by another key that claims the tag of the right one',
    world: withShop({
      signWith: [{ dnskey: testKey('p256', 'shop.test.').dnskey, sign: testKey('p256', 'thief').sign }],
    }),
    expected: 'bogus signature-wrong',
  },
  {
    title: 'a TXT signed by a sibling zone',
    world: tampered(
      makeWorld([
        { apex: '.' },
        { apex: 'test.' },
        { apex: 'shop.test.', data: alice },
        { apex: 'other.test.' },
      ]),
      ({ answer }) => resign(answer, TYPE.TXT, 'other.test.', testKey('p256', 'other.test.')),
    ),
    expected: 'bogus wrong-signer',
  },
  {
    title: 'a TXT signed by its parent zone',
    world: tampered(withShop({}), ({ answer }) =>
      resign(answer, TYPE.TXT, 'test.', testKey('p256', 'test.')),
    ),
    // As with every validator: who holds the parent can also replace the child's DS.
    expected: VALUE,
    delv: 'not-applicable',
  },
  {
    title: 'the keys of the zone exchanged',
    world: tampered(withShop({}), ({ answer }, name, type) => {
      if (type !== TYPE.DNSKEY || name !== 'shop.test.') return
      for (const record of answer) {
        if (record.type === TYPE.DNSKEY) record.rdata = encodeDnskey(testKey('p256', 'thief').dnskey)
      }
      resign(answer, TYPE.DNSKEY, 'shop.test.', testKey('p256', 'thief'))
    }),
    expected: 'bogus keys-do-not-match-ds',
  },
  {
    title: 'another trust anchor',
    world: {
      ...withShop({}),
      anchors: makeWorld([{ apex: '.', keys: [testKey('p256', 'other root')] }]).anchors,
    },
    expected: 'bogus keys-do-not-match-ds',
  },
  {
    title: 'no trust anchor',
    world: { ...withShop({}), anchors: [] },
    expected: 'bogus no-trust-anchor',
    delv: 'not-applicable',
  },
  {
    title: 'a key without the zone flag',
    world: withShop({ keys: [testKey('p256', 'k', FLAG_SEP)] }),
    expected: 'bogus keys-do-not-match-ds',
  },
  {
    title: 'a revoked key',
    world: withShop({ keys: [testKey('p256', 'k', FLAG_ZONE | FLAG_SEP | FLAG_REVOKE)] }),
    expected: 'bogus keys-do-not-match-ds',
  },
  {
    title: 'more labels signed than the name has',
    world: tampered(withShop({}), ({ answer }) => editRrsig(answer, (rrsig) => ({ ...rrsig, labels: 9 }))),
    expected: 'bogus wrong-labels',
  },
  {
    title: 'a wildcard above its zone',
    world: tampered(withShop({}), ({ answer }) =>
      editRrsig(answer, (rrsig) => (rrsig.typeCovered === TYPE.TXT ? { ...rrsig, labels: 0 } : rrsig)),
    ),
    expected: 'bogus wrong-labels',
  },
  { title: 'RSA of 512 bits', world: withKey('rsa-512'), expected: 'bogus key-unusable', delv: 'stricter' },
  {
    title: 'signatures with SHA-1 (algorithm 5)',
    world: withKey('rsa-sha1'),
    expected: 'insecure',
    delv: 'stricter',
  },
  {
    title: 'a SHA-1 signature in a zone that also has a good key',
    world: withShop({
      keys: [testKey('p256', 'good'), testKey('rsa-sha1')],
      signWith: [testKey('rsa-sha1')],
    }),
    expected: 'bogus algorithm-unsupported',
    delv: 'stricter',
  },
]

const nobody = 'nobody.user._bitcoin-payment.shop.test.'

const denials: ValidationCase[] = [
  { title: 'no such name, by NSEC', world: withShop({}), name: nobody, expected: 'nxdomain' },
  { title: 'no such name, by NSEC3', world: withShop({ denial: nsec3 }), name: nobody, expected: 'nxdomain' },
  {
    title: 'no such name, by NSEC3 with salt and iterations',
    world: withShop({ denial: { iterations: 5, salt: Uint8Array.of(0xaa, 0xbb), optOut: false } }),
    name: nobody,
    expected: 'nxdomain',
  },
  {
    title: 'NSEC3 with more iterations than RFC 9276 allows',
    world: withShop({ denial: { iterations: 101, salt: new Uint8Array(), optOut: false } }),
    name: nobody,
    expected: 'bogus nsec3-iterations',
    delv: 'stricter',
  },
  {
    title: 'no such name in an opt-out span',
    world: withShop({ denial: { ...nsec3, optOut: true } }),
    name: nobody,
    expected: 'insecure',
    delv: 'not-applicable',
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
          const other = shopWorld({ data: wildcard, denial }).answer(nobody, TYPE.TXT)
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
          const { rcode, answer, authority } = withShop({ denial }).answer(nobody, TYPE.TXT)
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
    delv: 'not-applicable',
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
    world: withShop({ expiration: NOW + 10 }),
    name: nobody,
    nowSeconds: NOW + DAY,
    expected: 'bogus signature-expired',
    delv: 'not-applicable',
  },
]

/** Every denial record of `test.` that some absent name brings to light. */
function denialsOfTest(world: World): Message['authority'] {
  const absent = ['shop0', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'zz'].map((label) => `${label}.test.`)
  return absent.flatMap((name) =>
    world.answer(name, TYPE.TXT).authority.filter(({ type }) => type !== TYPE.SOA),
  )
}

/** True records in the wrong place (RFC 6840 §4.1, §4.4). */
const misplacedDenials: ValidationCase[] = (['nsec', nsec3] as const).flatMap((denial): ValidationCase[] => {
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
})

const unavailable: ValidationCase[] = [
  {
    title: 'the DNS is down',
    world: { ...withShop({}), query: () => Promise.reject(new Error('ECONNREFUSED')) },
    expected: 'unavailable',
    delv: 'not-applicable',
  },
  {
    title: 'SERVFAIL',
    world: tampered(withShop({}), (response) => {
      response.rcode = 2
    }),
    expected: 'unavailable',
    delv: 'not-applicable',
  },
  {
    title: 'a truncated answer',
    world: tampered(withShop({}), ({ flags }) => {
      flags.truncated = true
    }),
    expected: 'unavailable',
    delv: 'not-applicable',
  },
  {
    title: 'the answer to another question',
    world: tampered(withShop({}), ({ question }) => {
      question[0]!.name = 'bob.shop.test.'
    }),
    expected: 'unavailable',
    delv: 'not-applicable',
  },
  {
    title: 'a query instead of a response',
    world: tampered(withShop({}), ({ flags }) => {
      flags.response = false
    }),
    expected: 'unavailable',
    delv: 'not-applicable',
  },
  {
    title: 'bytes that are no message',
    world: { ...withShop({}), query: async () => Uint8Array.of(1, 2, 3) },
    expected: 'unavailable',
    delv: 'not-applicable',
  },
  {
    title: 'a referral',
    world: makeWorld([{ apex: '.', data: (add) => add('test', TYPE.NS, nameToWire('ns.elsewhere.')) }]),
    expected: 'unavailable',
    delv: 'not-applicable',
  },
]

export const CASES: readonly ValidationCase[] = [
  ...valid,
  ...aliases,
  ...forged,
  ...denials,
  ...misplacedDenials,
  ...unavailable,
]

function resign(
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

function editRrsig(
  answer: Message['answer'],
  edit: (rrsig: ReturnType<typeof decodeRrsig>) => ReturnType<typeof decodeRrsig>,
): void {
  for (const record of answer) {
    if (record.type !== TYPE.RRSIG) continue
    const rrsig = decodeRrsig(record.rdata)
    if (rrsig.typeCovered === TYPE.TXT) record.rdata = encodeRrsig(edit(rrsig))
  }
}
