import { type Msat, proportionalFee, SUPPLY_MSAT } from '../money.ts'
import { type Refusal, refuse } from '../refusals.ts'

/** The fee limit when the payer names none: 1 % of the amount, at least 10 satoshi. */
export function defaultMaxFee(amountMsat: Msat): Msat {
  const onePercent = proportionalFee(amountMsat, { ppm: 10_000n })
  return onePercent > 10_000n ? onePercent : 10_000n
}

/** The amount to pay: what the destination asks, else what the payer says; both must agree. */
export function amountToPay(asksMsat: Msat | null, requestedMsat: Msat | null): Msat | Refusal {
  if (asksMsat !== null && requestedMsat !== null && asksMsat !== requestedMsat) {
    return refuse('AMOUNT_MISMATCH', { asksMsat: `${asksMsat}`, amountMsat: `${requestedMsat}` })
  }
  const amount = asksMsat ?? requestedMsat
  if (amount === null) return refuse('AMOUNT_REQUIRED')
  if (amount <= 0n || amount > SUPPLY_MSAT) return refuse('AMOUNT_INVALID', { amountMsat: `${amount}` })
  return amount
}

/** Reads a fee limit as it comes from outside: a decimal string of whole millisatoshi, 0 … supply. */
export function parseMaxFee(text: string): Msat | Refusal {
  if (!/^[0-9]{1,19}$/.test(text)) return refuse('FEE_LIMIT_INVALID', { maxFeeMsat: text.slice(0, 40) })
  const fee = BigInt(text)
  return fee > SUPPLY_MSAT ? refuse('FEE_LIMIT_INVALID', { maxFeeMsat: text }) : fee
}
