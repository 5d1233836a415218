import { SIGHASH } from '../chain/script/sighash.ts'
import {
  anchorScript,
  fundingScript,
  offeredHtlcScript,
  paymentHashOf,
  receivedHtlcScript,
  toLocalScript,
  toRemoteAnchorScript,
} from './lightning-scripts.ts'
import { type Sign, testKey } from './spender.ts'
import { SCRIPT_REFUSED, type Spending } from './spending.ts'

const EMPTY = new Uint8Array()
const ONE = Uint8Array.of(1)
const [alice, bob, revocation] = [testKey('alice'), testKey('bob'), testKey('revocation')]
const preimage = new Uint8Array(32).fill(7)
const htlcKeys = { revocation, local: alice, remote: bob }
const fundingOfBoth = fundingScript(alice, bob)
const toLocal = toLocalScript(revocation, alice, 144n)
const toRemote = toRemoteAnchorScript(alice)
const anchor = anchorScript(alice)
const offered = offeredHtlcScript(htlcKeys, paymentHashOf(preimage), false)
const offeredWithAnchors = offeredHtlcScript(htlcKeys, paymentHashOf(preimage), true)
/** Height at which the received HTLCs expire. */
export const EXPIRY = 120n
const received = receivedHtlcScript(htlcKeys, paymentHashOf(preimage), EXPIRY, false)
const receivedWithAnchors = receivedHtlcScript(htlcKeys, paymentHashOf(preimage), EXPIRY, true)
const bothSign = (script: Uint8Array, type?: number) => (sign: Sign) => [
  EMPTY,
  sign(alice, script, type),
  sign(bob, script, type),
  script,
]

/** Every spending path of BOLT 3 that exists, and the ways to get each wrong. */
export const BOLT3_SPENDINGS: readonly Spending[] = [
  { rule: 'a 2-of-2 opens for both signatures', script: fundingOfBoth, witness: bothSign(fundingOfBoth) },
  {
    rule: 'a 2-of-2 stays closed for signatures in the wrong order',
    script: fundingOfBoth,
    witness: (sign) => [EMPTY, sign(bob, fundingOfBoth), sign(alice, fundingOfBoth), fundingOfBoth],
    refusal: SCRIPT_REFUSED,
  },
  {
    rule: 'a 2-of-2 stays closed for one signature',
    script: fundingOfBoth,
    witness: (sign) => [EMPTY, sign(alice, fundingOfBoth), EMPTY, fundingOfBoth],
    refusal: SCRIPT_REFUSED,
  },
  {
    rule: 'CHECKMULTISIG wants an empty dummy element',
    script: fundingOfBoth,
    witness: (sign) => [ONE, sign(alice, fundingOfBoth), sign(bob, fundingOfBoth), fundingOfBoth],
    refusal: SCRIPT_REFUSED,
  },
  {
    rule: 'a witness script must hash to its program',
    script: fundingOfBoth,
    witness: (sign) => [sign(alice, anchor), anchor],
    refusal: SCRIPT_REFUSED,
  },
  ...[SIGHASH.NONE, SIGHASH.SINGLE, SIGHASH.ALL | 0x80, SIGHASH.NONE | 0x80, SIGHASH.SINGLE | 0x80].map(
    (type) => ({
      rule: `sighash type 0x${type.toString(16)} is verified`,
      script: fundingOfBoth,
      witness: bothSign(fundingOfBoth, type),
    }),
  ),
  {
    rule: 'an undefined sighash type is refused',
    script: fundingOfBoth,
    witness: bothSign(fundingOfBoth, 4),
    refusal: SCRIPT_REFUSED,
  },
  {
    rule: 'to_local opens for the revocation key at once',
    script: toLocal,
    witness: (sign) => [sign(revocation, toLocal), ONE, toLocal],
  },
  {
    rule: 'to_local opens for its owner after the delay',
    script: toLocal,
    witness: (sign) => [sign(alice, toLocal), EMPTY, toLocal],
    sequence: 144,
    age: 143,
  },
  {
    rule: 'to_local stays closed for its owner one block before the delay',
    script: toLocal,
    witness: (sign) => [sign(alice, toLocal), EMPTY, toLocal],
    sequence: 144,
    age: 142,
    refusal: /non-BIP68-final/,
  },
  {
    rule: 'to_local stays closed for its owner who claims a shorter delay',
    script: toLocal,
    witness: (sign) => [sign(alice, toLocal), EMPTY, toLocal],
    sequence: 143,
    age: 200,
    refusal: SCRIPT_REFUSED,
  },
  {
    rule: 'to_local stays closed for its owner who disables the sequence',
    script: toLocal,
    witness: (sign) => [sign(alice, toLocal), EMPTY, toLocal],
    sequence: 0xffff_ffff,
    age: 200,
    refusal: SCRIPT_REFUSED,
  },
  {
    rule: 'OP_IF takes only an empty element or 0x01',
    script: toLocal,
    witness: (sign) => [sign(revocation, toLocal), Uint8Array.of(2), toLocal],
    refusal: SCRIPT_REFUSED,
  },
  {
    rule: 'to_remote with anchors opens after one block',
    script: toRemote,
    witness: (sign) => [sign(alice, toRemote), toRemote],
    sequence: 1,
  },
  {
    rule: 'to_remote with anchors stays closed without a relative lock',
    script: toRemote,
    witness: (sign) => [sign(alice, toRemote), toRemote],
    refusal: SCRIPT_REFUSED,
  },
  { rule: 'an anchor opens for its key', script: anchor, witness: (sign) => [sign(alice, anchor), anchor] },
  {
    rule: 'an anchor opens for anyone after 16 blocks',
    script: anchor,
    witness: () => [EMPTY, anchor],
    sequence: 16,
    age: 15,
  },
  {
    rule: 'an anchor stays closed for anyone before',
    script: anchor,
    witness: () => [EMPTY, anchor],
    sequence: 15,
    age: 15,
    refusal: SCRIPT_REFUSED,
  },
  ...[
    { kind: 'offered', script: offered, sequence: 0xffff_fffd },
    { kind: 'offered with anchors', script: offeredWithAnchors, sequence: 1 },
  ].flatMap(({ kind, script, sequence }): Spending[] => [
    {
      rule: `an HTLC ${kind} opens for the remote with the preimage`,
      script,
      sequence,
      witness: (sign) => [sign(bob, script), preimage, script],
    },
    {
      rule: `an HTLC ${kind} stays closed for a wrong preimage`,
      script,
      sequence,
      witness: (sign) => [sign(bob, script), new Uint8Array(32), script],
      refusal: SCRIPT_REFUSED,
    },
    {
      rule: `an HTLC ${kind} opens for the HTLC-timeout transaction`,
      script,
      sequence,
      witness: (sign) => [
        EMPTY,
        sign(bob, script, SIGHASH.SINGLE | 0x80),
        sign(alice, script),
        EMPTY,
        script,
      ],
    },
    {
      rule: `an HTLC ${kind} opens for the revocation key`,
      script,
      sequence,
      witness: (sign) => [sign(revocation, script), revocation.publicKey, script],
    },
  ]),
  ...[
    { kind: 'received', script: received, sequence: 0xffff_fffd },
    { kind: 'received with anchors', script: receivedWithAnchors, sequence: 1 },
  ].flatMap(({ kind, script, sequence }): Spending[] => [
    {
      rule: `an HTLC ${kind} opens for the HTLC-success transaction`,
      script,
      sequence,
      witness: (sign) => [
        EMPTY,
        sign(bob, script, SIGHASH.SINGLE | 0x80),
        sign(alice, script),
        preimage,
        script,
      ],
    },
    {
      rule: `an HTLC ${kind} opens for the remote after its expiry`,
      script,
      sequence,
      lockTime: Number(EXPIRY),
      witness: (sign) => [sign(bob, script), EMPTY, script],
    },
    {
      rule: `an HTLC ${kind} stays closed for the remote before its expiry`,
      script,
      sequence,
      lockTime: Number(EXPIRY) - 1,
      witness: (sign) => [sign(bob, script), EMPTY, script],
      refusal: SCRIPT_REFUSED,
    },
    {
      rule: `an HTLC ${kind} stays closed for the remote with a time instead of a height`,
      script,
      sequence,
      lockTime: 500_000_001,
      witness: (sign) => [sign(bob, script), EMPTY, script],
      refusal: SCRIPT_REFUSED,
    },
  ]),
]
