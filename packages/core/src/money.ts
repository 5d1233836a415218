import { type Refusal, refuse } from './refusals.ts'

/** Millisatoshi. 1 satoshi = 1000 millisatoshi; never a floating-point number. */
export type Msat = bigint

/** 21 million bitcoin, the largest amount that can exist. */
export const SUPPLY_MSAT: Msat = 21_000_000n * 100_000_000n * 1000n

/** Reads an amount as it comes from outside: a decimal string of whole millisatoshi, 1 … supply. */
export function parseMsat(text: string): Msat | Refusal {
  if (!/^[0-9]{1,19}$/.test(text)) return refuse('AMOUNT_INVALID', { amountMsat: text.slice(0, 40) })
  const amount = BigInt(text)
  if (amount === 0n || amount > SUPPLY_MSAT) return refuse('AMOUNT_INVALID', { amountMsat: text })
  return amount
}

/** Proportional fee in parts per million, rounded up so that a non-zero rate never yields a zero fee. */
export function proportionalFee(amount: Msat, rate: { ppm: bigint }): Msat {
  return (amount * rate.ppm + 999_999n) / 1_000_000n
}
