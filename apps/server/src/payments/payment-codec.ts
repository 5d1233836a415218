import type { JsonObject, JsonValue } from '@holdfast/core'
import type { PaymentCommand, PaymentState } from '@holdfast/core/payments/payment-states'

/**
 * Payments as JSON, in the table and in the journal: a member whose name ends in `Msat` is a decimal string there
 * and a bigint here.
 */
export function encodePayment(value: PaymentState | PaymentCommand): JsonObject {
  return JSON.parse(stringifyPayment(value)) as JsonObject
}

export function stringifyPayment(value: PaymentState | PaymentCommand): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'bigint' ? member.toString() : member,
  )
}

export function decodeState(json: JsonObject): PaymentState {
  return withBigints(json) as PaymentState
}

export function decodeCommand(json: JsonObject): PaymentCommand {
  return withBigints(json) as PaymentCommand
}

function withBigints(value: JsonValue): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name.endsWith('Msat') && typeof member === 'string' ? BigInt(member) : withBigints(member as JsonValue),
    ]),
  )
}
