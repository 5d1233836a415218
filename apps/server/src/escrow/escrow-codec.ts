import type { JsonObject, JsonValue } from '@holdfast/core'
import type { EscrowCommand, EscrowState } from '@holdfast/core/escrow/escrow-states'

/**
 * Escrows as JSON, in the table and in the journal: a member whose name ends in `Msat`, and `ppm`, is a decimal string
 * there and a bigint here.
 */
export function encodeEscrow(value: EscrowState | EscrowCommand): JsonObject {
  return JSON.parse(stringifyEscrow(value)) as JsonObject
}

export function stringifyEscrow(value: EscrowState | EscrowCommand): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'bigint' ? member.toString() : member,
  )
}

export function decodeEscrow(json: JsonObject): EscrowState {
  return withBigints(json) as EscrowState
}

export function decodeCommand(json: JsonObject): EscrowCommand {
  return withBigints(json) as EscrowCommand
}

const BIGINT = /Msat$|^ppm$/

function withBigints(value: JsonValue): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(withBigints)
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      BIGINT.test(name) && typeof member === 'string' ? BigInt(member) : withBigints(member as JsonValue),
    ]),
  )
}
