import type { JsonObject, JsonValue } from '@holdfast/core'

/** The members that are bigints here and decimal strings in JSON: amounts, and rates of fees. */
const BIGINT = /Msat$|^ppm$/

/**
 * A state or command as JSON, for a table or the journal. JSON has no bigint, so `BIGINT` says by name which members
 * are; a bigint in any other member is thrown as a TypeError, because it would come back as a string.
 */
export function moneyToJson(value: object): JsonObject {
  return JSON.parse(moneyToText(value)) as JsonObject
}

export function moneyToText(value: object): string {
  return JSON.stringify(value, (name, member: unknown) => {
    if (typeof member !== 'bigint') return member
    if (!BIGINT.test(name)) throw new TypeError(`The member ${name} would not come back as a bigint.`)
    return member.toString()
  })
}

/** What `moneyToJson` was given. Unchecked: only for what this server has written itself. */
export function moneyFromJson<T extends object>(json: JsonObject): T {
  return withBigints(json) as T
}

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
