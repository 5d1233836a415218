import { type Rejection, reject } from './rejection.ts'
import { dustThreshold, isUnspendable, outputKind } from './script/output-script.ts'
import {
  LOCK_TIME_THRESHOLD,
  SEQUENCE_DISABLE,
  SEQUENCE_FINAL,
  SEQUENCE_IS_TIME,
  SEQUENCE_MASK,
} from './script/script-locks.ts'
import { isCoinbase, outpointKey, type Transaction } from './transaction.ts'
import type { Coin } from './utxo-set.ts'

const MAX_MONEY = 21_000_000n * 100_000_000n
export const COINBASE_MATURITY = 100
/** Policy of bitcoind's mempool. */
const MAX_STANDARD_WEIGHT = 400_000
const MIN_STANDARD_BASE_BYTES = 65
const MAX_STANDARD_VERSION = 3
export const MIN_RELAY_SAT_PER_KVB = 1000n

/** The chain that the next block would extend. `medianTime`: median time past of the tip, in seconds. */
export type NextBlock = { readonly height: number; readonly medianTimePast: number }

/** Rules that need nothing but the transaction: consensus (`CheckTransaction`), then policy (`IsStandardTx`). */
export function checkForm(tx: Transaction): Rejection | null {
  if (tx.inputs.length === 0) return reject('bad-txns-vin-empty')
  if (tx.outputs.length === 0) return reject('bad-txns-vout-empty')
  let total = 0n
  for (const { value } of tx.outputs) {
    if (value < 0n) return reject('bad-txns-vout-negative')
    if (value > MAX_MONEY) return reject('bad-txns-vout-toolarge')
    total += value
    if (total > MAX_MONEY) return reject('bad-txns-txouttotal-toolarge')
  }
  if (new Set(tx.inputs.map(outpointKey)).size !== tx.inputs.length)
    return reject('bad-txns-inputs-duplicate')
  if (isCoinbase(tx)) return reject('coinbase')
  return checkStandardForm(tx)
}

function checkStandardForm(tx: Transaction): Rejection | null {
  if (tx.version < 1 || tx.version > MAX_STANDARD_VERSION) return reject('version')
  if (tx.weight > MAX_STANDARD_WEIGHT) return reject('tx-size')
  for (const { scriptSig } of tx.inputs) {
    if (scriptSig.length > 1650) return reject('scriptsig-size')
  }
  let dataOutputs = 0
  for (const { script, value } of tx.outputs) {
    const kind = outputKind(script)
    if (kind === 'nonstandard') return reject('scriptpubkey')
    if (kind === 'nulldata') dataOutputs++
    else if (value < dustThreshold(script)) return reject('dust')
  }
  if (dataOutputs > 1) return reject('multi-op-return')
  if (tx.baseSize < MIN_STANDARD_BASE_BYTES) return reject('tx-size-small')
  return null
}

/** nLockTime against the next block: its height, or BIP-113's median time past. */
export function isFinal(tx: Transaction, next: NextBlock): boolean {
  if (tx.lockTime === 0) return true
  const now = tx.lockTime < LOCK_TIME_THRESHOLD ? next.height : next.medianTimePast
  return tx.lockTime < now || tx.inputs.every((input) => input.sequence === SEQUENCE_FINAL)
}

/**
 * BIP-68 relative lock times. `coins` are those spent, in the order of the inputs; an unconfirmed one counts as
 * confirmed in the next block. `medianTimePastAt` answers for a height of the active chain.
 */
export function areSequencesSatisfied(
  tx: Transaction,
  coins: readonly Coin[],
  next: NextBlock,
  medianTimePastAt: (height: number) => number,
): boolean {
  if (tx.version < 2) return true
  return tx.inputs.every(({ sequence }, i) => {
    if (sequence & SEQUENCE_DISABLE) return true
    const { height } = coins[i]!
    const units = sequence & SEQUENCE_MASK
    if (sequence & SEQUENCE_IS_TIME) {
      return medianTimePastAt(Math.max(height - 1, 0)) + units * 512 <= next.medianTimePast
    }
    return height + units <= next.height
  })
}

/** Consensus (`CheckTxInputs`): maturity and amounts. Answers the fee in satoshi. */
export function checkAmounts(
  tx: Transaction,
  coins: readonly Coin[],
  next: NextBlock,
): { fee: bigint } | Rejection {
  let paidIn = 0n
  for (const coin of coins) {
    const depth = next.height - coin.height
    if (coin.isCoinbase && depth < COINBASE_MATURITY) {
      return reject('bad-txns-premature-spend-of-coinbase', `tried to spend coinbase at depth ${depth}`)
    }
    paidIn += coin.output.value
  }
  const paidOut = tx.outputs.reduce((sum, output) => sum + output.value, 0n)
  if (paidIn < paidOut) {
    return reject('bad-txns-in-belowout', `value in (${paidIn} sat) < value out (${paidOut} sat)`)
  }
  return { fee: paidIn - paidOut }
}

/** The least fee for `vsize` at `satPerKvb`, rounded up as bitcoind's `CFeeRate::GetFee` rounds. */
export function feeFor(vsize: number, satPerKvb: bigint): bigint {
  return (BigInt(vsize) * satPerKvb + 999n) / 1000n
}

/** Value that the transaction burns in OP_RETURN outputs, in satoshi: the largest one. */
export function largestBurn(tx: Transaction): bigint {
  return tx.outputs.reduce(
    (most, { script, value }) => (isUnspendable(script) && value > most ? value : most),
    0n,
  )
}
