import { payToKeyHash } from '../chain/script/verify-input.ts'
import { finishTransaction, type Transaction, type TxOutput } from '../chain/transaction.ts'
import { payToWitnessScript, type Spender, type TestInput, testKey } from './spender.ts'

const alice = testKey('alice')
const NOTHING = new Uint8Array()
const HOUR = 3_600

/** A transaction that no node relays, and what it says. */
type Refused = {
  readonly rule: string
  make(spender: Spender): Transaction | Promise<Transaction>
  readonly code: number
  readonly reason: string
}

/** One transaction from a fresh coin, with these outputs, all of the rest as fee. */
export function spend(
  spender: Spender,
  outputs: (value: bigint) => TxOutput[],
  input: Partial<TestInput> = {},
  body = {},
) {
  const coin = spender.takeCoin()
  return spender.build([{ ...coin, ...input }], outputs(coin.value), body)
}

/** All but a fee of 1,000 satoshi. */
export const toAlice = (value: bigint): TxOutput[] => [{ value: value - 1_000n, script: alice.script }]
const paying =
  (output: Partial<TxOutput>) =>
  (value: bigint): TxOutput[] => [...toAlice(value), { value: 0n, script: alice.script, ...output }]

export const REFUSED_TRANSACTIONS: readonly Refused[] = [
  {
    rule: 'an input that does not exist',
    make: (s) => spend(s, toAlice, { txid: '11'.repeat(32) }),
    code: -25,
    reason: 'bad-txns-inputs-missingorspent',
  },
  {
    rule: 'an output index that does not exist',
    make: (s) => spend(s, toAlice, { vout: 7 }),
    code: -25,
    reason: 'bad-txns-inputs-missingorspent',
  },
  {
    rule: 'more out than in',
    make: (s) => spend(s, (value) => [{ value: value + 1n, script: alice.script }]),
    code: -26,
    reason: 'bad-txns-in-belowout',
  },
  {
    rule: 'a fee below the relay minimum',
    make: (s) => spend(s, (value) => [{ value: value - 50n, script: alice.script }]),
    code: -26,
    reason: 'min relay fee not met',
  },
  {
    rule: 'a fee that must be a mistake',
    make: (s) => spend(s, (value) => [{ value: value - 10_000_000n, script: alice.script }]),
    code: -25,
    reason: 'Fee exceeds maximum configured by user',
  },
  { rule: 'dust', make: (s) => spend(s, paying({ value: 293n })), code: -26, reason: 'dust' },
  {
    rule: 'dust in a P2WSH output',
    make: (s) => spend(s, paying({ value: 329n, script: payToWitnessScript(NOTHING) })),
    code: -26,
    reason: 'dust',
  },
  {
    rule: 'a script that is not standard',
    make: (s) => spend(s, paying({ value: 10_000n, script: Uint8Array.of(0x51) })),
    code: -26,
    reason: 'scriptpubkey',
  },
  {
    rule: 'value burned in an OP_RETURN output',
    make: (s) => spend(s, paying({ value: 600n, script: Uint8Array.of(0x6a, 1, 7) })),
    code: -25,
    reason: 'Unspendable output exceeds maximum configured by user (maxburnamount)',
  },
  { rule: 'version 0', make: (s) => spend(s, toAlice, {}, { version: 0 }), code: -26, reason: 'version' },
  { rule: 'version 4', make: (s) => spend(s, toAlice, {}, { version: 4 }), code: -26, reason: 'version' },
  {
    rule: 'one coin spent twice in one transaction',
    make(s) {
      const coin = s.takeCoin()
      return s.build([coin, coin], [{ value: 2n * coin.value - 1_000n, script: alice.script }])
    },
    code: -26,
    reason: 'bad-txns-inputs-duplicate',
  },
  { rule: 'no outputs', make: (s) => spend(s, () => []), code: -26, reason: 'bad-txns-vout-empty' },
  {
    rule: 'a negative output',
    make: (s) => spend(s, () => [{ value: -1n, script: alice.script }], { witness: () => [] }),
    code: -26,
    reason: 'bad-txns-vout-negative',
  },
  {
    rule: 'an output above the supply',
    make: (s) => spend(s, () => [{ value: 2_100_000_000_000_001n, script: alice.script }]),
    code: -26,
    reason: 'bad-txns-vout-toolarge',
  },
  {
    rule: 'outputs above the supply together',
    make: (s) => spend(s, () => Array(2).fill({ value: 2_000_000_000_000_000n, script: alice.script })),
    code: -26,
    reason: 'bad-txns-txouttotal-toolarge',
  },
  {
    rule: 'a coinbase that is no block',
    make: () =>
      finishTransaction({
        version: 2,
        lockTime: 0,
        inputs: [
          {
            txid: '00'.repeat(32),
            vout: 0xffff_ffff,
            scriptSig: Uint8Array.of(1, 1),
            sequence: 0,
            witness: [],
          },
        ],
        outputs: [{ value: 1_000n, script: alice.script }],
      }),
    code: -26,
    reason: 'coinbase',
  },
  {
    rule: 'a lock time at a height not yet reached',
    make: (s) => spend(s, toAlice, {}, { lockTime: 100_000 }),
    code: -26,
    reason: 'non-final',
  },
  {
    rule: 'a lock time that the median time has not reached',
    make: (s) => spend(s, toAlice, {}, { lockTime: Math.floor(Date.now() / 1000) + 24 * HOUR }),
    code: -26,
    reason: 'non-final',
  },
  {
    rule: 'a relative lock of blocks not yet passed',
    make: (s) => spend(s, toAlice, { sequence: 60_000 }),
    code: -26,
    reason: 'non-BIP68-final',
  },
  {
    rule: 'a relative lock of time not yet passed',
    make: (s) => spend(s, toAlice, { sequence: 0x0040_0000 | 5_000 }),
    code: -26,
    reason: 'non-BIP68-final',
  },
  {
    rule: 'a signature by another key',
    make: (s) =>
      spend(s, toAlice, {
        witness: (sign) => [sign(alice, payToKeyHash(s.key.script.subarray(2))), s.key.publicKey],
      }),
    code: -26,
    reason: 'script-verify-flag',
  },
  {
    rule: 'another public key',
    make: (s) =>
      spend(s, toAlice, {
        witness: (sign) => [sign(alice, payToKeyHash(s.key.script.subarray(2))), alice.publicKey],
      }),
    code: -26,
    reason: 'script-verify-flag',
  },
  {
    rule: 'a signature for another amount',
    make: (s) => spend(s, toAlice, { value: 1_000_000n }),
    code: -26,
    reason: 'script-verify-flag',
  },
  {
    rule: 'no witness',
    make: (s) => spend(s, toAlice, { witness: () => [] }),
    code: -26,
    reason: 'script-verify-flag',
  },
]
