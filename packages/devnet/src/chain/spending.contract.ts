import { beforeAll, describe, expect, test } from 'vitest'
import {
  anchorScript,
  assembleScript,
  fundingScript,
  offeredHtlcScript,
  paymentHashOf,
  receivedHtlcScript,
  toLocalScript,
  toRemoteAnchorScript,
} from '../testing/lightning-scripts.ts'
import { payToWitnessScript, type Sign, Spender, type TestInput, testKey } from '../testing/spender.ts'
import type { BitcoinRpc } from './rpc-client.ts'
import { OP } from './script/opcodes.ts'
import { SIGHASH } from './script/sighash.ts'
import type { Transaction } from './transaction.ts'

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
const EXPIRY = 120n
const received = receivedHtlcScript(htlcKeys, paymentHashOf(preimage), EXPIRY, false)
const receivedWithAnchors = receivedHtlcScript(htlcKeys, paymentHashOf(preimage), EXPIRY, true)

type Case = {
  readonly rule: string
  readonly script: Buffer
  witness(sign: Sign): Uint8Array[]
  readonly sequence?: number
  readonly lockTime?: number
  /** Blocks on top of the one that holds the output. */
  readonly age?: number
  /** Absent: the spend is accepted. */
  readonly refusal?: RegExp
}

/** Knots recognises some malformed scripts before it runs them, and words that differently. */
const REFUSED_SOMEHOW = /./
const SCRIPT_REFUSED = /script-verify-flag/
const bothSign = (script: Uint8Array, type?: number) => (sign: Sign) => [
  EMPTY,
  sign(alice, script, type),
  sign(bob, script, type),
  script,
]

/** Every spending path of BOLT 3 that exists, and the ways to get each wrong. */
const CASES: readonly Case[] = [
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
  ].flatMap(({ kind, script, sequence }): Case[] => [
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
  ].flatMap(({ kind, script, sequence }): Case[] => [
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
  ...wrongSignatures(),
  ...oddScripts(),
]

function wrongSignatures(): Case[] {
  const script = assembleScript(alice.publicKey, OP.CHECKSIG)
  const spoil = (rule: string, change: (signature: Uint8Array) => Uint8Array): Case => ({
    rule,
    script,
    witness: (sign) => [change(sign(alice, script)), script],
    refusal: SCRIPT_REFUSED,
  })
  return [
    { rule: 'CHECKSIG takes the right signature', script, witness: (sign) => [sign(alice, script), script] },
    {
      rule: 'the wrong key is refused',
      script,
      witness: (sign) => [sign(bob, script), script],
      refusal: SCRIPT_REFUSED,
    },
    { rule: 'no signature is refused', script, witness: () => [EMPTY, script], refusal: SCRIPT_REFUSED },
    spoil('a flipped bit is refused', (s) => s.map((byte, i) => (i === 20 ? byte ^ 1 : byte))),
    spoil('a signature without sighash type is refused', (s) => s.slice(0, -1)),
    spoil('DER with a wrong length is refused', (s) => s.map((byte, i) => (i === 1 ? byte + 1 : byte))),
    spoil('DER that is not a sequence is refused', (s) => s.map((byte, i) => (i === 0 ? 0x31 : byte))),
    spoil('trailing bytes in the signature are refused', (s) => Buffer.concat([s.slice(0, -1), ONE, ONE])),
    spoil('a high S is refused', highS),
    {
      rule: 'an element too many is refused',
      script,
      witness: (sign) => [ONE, sign(alice, script), script],
      refusal: SCRIPT_REFUSED,
    },
    { rule: 'an empty witness is refused', script, witness: () => [], refusal: SCRIPT_REFUSED },
  ]
}

/** The same signature with n − s: valid mathematics, refused since BIP-146. */
function highS(signature: Uint8Array): Uint8Array {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const rLength = signature[3]!
  const r = signature.slice(2, 4 + rLength)
  const s = BigInt(`0x${Buffer.from(signature.slice(6 + rLength, -1)).toString('hex')}`)
  const bytes = Buffer.from(`00${(order - s).toString(16).padStart(64, '0')}`, 'hex')
  const body = Buffer.concat([r, Buffer.from([2, bytes.length]), bytes])
  return Buffer.concat([Buffer.from([0x30, body.length]), body, ONE])
}

function oddScripts(): Case[] {
  const run = (
    rule: string,
    parts: (number | bigint | Uint8Array)[],
    works: boolean,
    witness: Uint8Array[] = [],
  ) => {
    const script = assembleScript(...parts)
    const made = { rule, script, witness: () => [...witness, script] }
    return works ? made : { ...made, refusal: SCRIPT_REFUSED }
  }
  return [
    run(
      'arithmetic and stack juggling',
      [2n, 3n, OP.ADD, 5n, OP.NUMEQUALVERIFY, 1n, 2n, OP.TUCK, OP.TWO_DROP, 2n, OP.NUMEQUAL],
      true,
    ),
    run('a boolean script', [0n, OP.NOT, 1n, OP.BOOLAND, 0n, OP.BOOLOR, OP.ZERO_NOT_EQUAL], true),
    run(
      'OVER, ROT, NIP, 2DUP, DEPTH',
      [
        1n,
        2n,
        OP.OVER,
        OP.ROT,
        OP.TWO_DUP,
        OP.DEPTH,
        5n,
        OP.NUMEQUALVERIFY,
        OP.TWO_DROP,
        OP.TWO_DROP,
        3n,
        1n,
        OP.NIP,
        OP.DROP,
      ],
      true,
    ),
    run('hash functions', [OP.DUP, OP.HASH256, OP.SWAP, OP.SHA256, OP.SHA256, OP.EQUAL], true, [preimage]),
    run('a negative number', [OP.ONE_NEGATE, -1n, OP.EQUAL], false),
    run('a script that ends false', [0n], false),
    run('a script that ends in negative zero', [Uint8Array.of(0x80)], false),
    run('an unbalanced IF', [1n, OP.IF, 1n], false),
    run('an ELSE without IF', [1n, OP.ELSE], false),
    { ...run('an ENDIF without IF', [1n, OP.ENDIF], false), refusal: REFUSED_SOMEHOW },
    run('OP_RETURN', [1n, OP.RETURN], false),
    run('a branch that does not run', [OP.IF, 0n, OP.VERIFY, OP.ENDIF, 1n], true, [EMPTY]),
    run(
      'nested branches that do not run',
      [OP.IF, OP.DUP, OP.IF, OP.VERIFY, OP.ELSE, OP.VERIFY, OP.ENDIF, OP.ELSE, 1n, OP.ENDIF],
      true,
      [EMPTY],
    ),
    run('an opcode that does not exist', [1n, 0xba], false),
    run('a stack that is too small', [OP.ADD], false),
    run('VERIFY of false', [1n, 0n, OP.VERIFY], false),
    run('EQUALVERIFY of unequal', [1n, 1n, 2n, OP.EQUALVERIFY], false),
    run('a push that is longer than needed', [0x4c, 1, 0x51], false),
    { ...run('a push that ends after the script', [0x05, 1], false), refusal: REFUSED_SOMEHOW },
    run('a number that is not minimal', [OP.NOT], false, [Uint8Array.of(0)]),
    run('a number longer than four bytes', [OP.NOT], false, [new Uint8Array(5).fill(1)]),
    run('a negative lock time', [OP.ONE_NEGATE, OP.CHECKLOCKTIMEVERIFY], false),
    run('a negative relative lock time', [OP.ONE_NEGATE, OP.CHECKSEQUENCEVERIFY], false),
    run('more keys than CHECKMULTISIG may have', [0n, 0n, 21n, OP.CHECKMULTISIG], false),
    run('more signatures than keys', [0n, 1n, 0n, OP.CHECKMULTISIG], false),
    run('0-of-0', [0n, 0n, 0n, OP.CHECKMULTISIG], true),
    run('201 operations', [1n, ...Array<number>(201).fill(OP.NOP)], true),
    run('202 operations', [1n, ...Array<number>(202).fill(OP.NOP)], false),
    run('an uncompressed key', [0n, Uint8Array.of(4, ...new Uint8Array(64)), OP.CHECKSIG, OP.NOT], false),
  ]
}

/** How a chain must judge scripts; run against ours and against a real bitcoind. `rpc` starts on an empty chain. */
export function spendingContract(name: string, rpc: () => BitcoinRpc): void {
  describe(`${name}: spending by script`, () => {
    const byAge = CASES.toSorted((a, b) => (a.age ?? 0) - (b.age ?? 0))
    let spender: Spender
    let funding: Transaction
    let age = 0

    beforeAll(async () => {
      spender = new Spender(rpc())
      await spender.mineCoins(Number(EXPIRY))
      const outputs = byAge.map(({ script }) => ({ value: 100_000n, script: payToWitnessScript(script) }))
      funding = spender.build(
        [spender.takeCoin()],
        [...outputs, { value: 4_980_000_000n, script: spender.key.script }],
      )
      await rpc().call('sendrawtransaction', [funding.bytes.toString('hex'), 0])
      await spender.mine(1)
    })

    test.each(byAge.map((one, vout) => ({ ...one, vout })))('$rule', async (one) => {
      await spender.mine((one.age ?? 0) - age)
      age = one.age ?? 0
      const { witness, sequence, lockTime = 0 } = one
      const coin = { txid: funding.txid, vout: one.vout, ...funding.outputs[one.vout]! }
      const input: TestInput = { ...coin, witness, ...(sequence === undefined ? {} : { sequence }) }
      const output = { value: coin.value - 1_000n, script: bob.script }
      const sent = spender.send(spender.build([input], [output], { lockTime }))
      if (one.refusal === undefined) expect(await sent).toMatch(/^[0-9a-f]{64}$/)
      else
        await expect(sent).rejects.toMatchObject({ code: -26, message: expect.stringMatching(one.refusal) })
    })
  })
}
