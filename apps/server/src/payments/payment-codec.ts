import type { JsonObject, JsonValue } from '@holdfast/core'
import type { PaymentCommand, PaymentState } from '@holdfast/core/payments/payment-states'

/** To JSON: every bigint becomes a decimal string. Ours all stand under keys that end in `Msat`. */
export function encodePayment(value: PaymentState | PaymentCommand): JsonObject {
  return JSON.parse(
    JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? part.toString() : part)),
  ) as JsonObject
}

export function decodePaymentState(json: JsonObject): PaymentState {
  return decode(json) as PaymentState
}

export function decodePaymentCommand(json: JsonObject): PaymentCommand {
  return decode(json) as PaymentCommand
}

function decode(value: JsonValue, key = ''): unknown {
  if (typeof value === 'string') return key.endsWith('Msat') ? BigInt(value) : value
  if (Array.isArray(value)) return value.map((part: JsonValue) => decode(part))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, decode(part, name)]))
}
