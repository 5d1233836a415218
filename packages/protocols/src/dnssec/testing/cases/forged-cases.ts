import { TYPE } from '../../../dns/codes.ts'
import { decodeTxt, encodeDnskey, encodeTxt } from '../../../dns/rdata.ts'
import { FLAG_REVOKE, FLAG_SEP, FLAG_ZONE } from '../../keys.ts'
import {
  alice,
  dropRrsigs,
  editRrsig,
  resign,
  sections,
  VALUE,
  type ValidationCase,
  withKey,
  withShop,
} from '../crafted-case.ts'
import { DAY, makeWorld, NOW, tampered, text } from '../signed-world.ts'
import { testKey } from '../test-keys.ts'

const SHA1 = 'BIP-353 refuses SHA-1 signatures'
const SKEW = 'Unbound allows for clocks that are wrong, by a tenth of the signature’s life, 1 to 24 hours'

export const FORGED: readonly ValidationCase[] = [
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
    title: 'the strings of a TXT in another order',
    world: tampered(withShop({}), ({ answer }) => {
      const txt = answer.find(({ type }) => type === TYPE.TXT)
      if (txt) txt.rdata = encodeTxt(decodeTxt(txt.rdata).reverse())
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
    title: 'a signature that expired two days ago',
    world: withShop({ inception: NOW - 9 * DAY, expiration: NOW - 2 * DAY }),
    expected: 'bogus signature-expired',
  },
  {
    title: 'a signature that expired a second ago',
    world: withShop({ expiration: NOW - 1 }),
    expected: 'bogus signature-expired',
    others: { unbound: 'secure', why: SKEW },
  },
  {
    title: 'a signature that begins in two days',
    world: withShop({ inception: NOW + 2 * DAY }),
    expected: 'bogus signature-not-yet-valid',
  },
  {
    title: 'a signature that begins in an hour',
    world: withShop({ inception: NOW + 3600 }),
    expected: 'bogus signature-not-yet-valid',
    others: { unbound: 'secure', why: SKEW },
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
    unasked: 'they do not validate without one',
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
    others: {
      unbound: 'secure',
      why: 'Unbound heeds the bit in trust anchors only; RFC 5011 §2.1 in every key',
    },
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
  {
    title: 'RSA of 512 bits',
    world: withKey('rsa-512'),
    expected: 'bogus key-unusable',
    others: {
      delv: 'secure',
      unbound: 'secure',
      why: 'RFC 5702 §2 allows 512 bits; BIP-353 refuses less than 1024',
    },
  },
  {
    title: 'signatures with SHA-1 (algorithm 5)',
    world: withKey('rsa-sha1'),
    expected: 'insecure',
    others: { delv: 'secure', unbound: 'secure', why: SHA1 },
  },
  {
    title: 'a SHA-1 signature in a zone that also has a good key',
    world: withShop({
      keys: [testKey('p256', 'good'), testKey('rsa-sha1')],
      signWith: [testKey('rsa-sha1')],
    }),
    expected: 'bogus algorithm-unsupported',
    others: { delv: 'secure', unbound: 'secure', why: SHA1 },
  },
]
