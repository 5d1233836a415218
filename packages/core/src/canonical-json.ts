import type { JsonObject, JsonValue } from './json.ts'

/** The value cannot be written canonically, or would not come back from a Postgres `jsonb` column as it went in. */
export class NotCanonicalError extends Error {
  override readonly name = 'NotCanonicalError'
}

/**
 * JSON Canonicalization Scheme (RFC 8785): no white space, members sorted by UTF-16 code units, strings and numbers
 * as ECMAScript writes them. Stricter than the RFC in what it accepts: I-JSON strings (RFC 7493 section 2.1) without
 * U+0000, which `jsonb` cannot hold; numbers only as safe integers (amounts are decimal strings); plain objects only.
 * Throws `NotCanonicalError`, which names the path but never the value.
 */
export function canonicalJson(value: JsonValue): string {
  return encode(value, '$')
}

function encode(value: unknown, path: string): string {
  switch (typeof value) {
    case 'string':
      return encodeString(value, path)
    case 'number':
      if (!Number.isSafeInteger(value)) throw new NotCanonicalError(`${path} is not a safe integer`)
      return JSON.stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value))
        return `[${value.map((item, index) => encode(item, `${path}[${index}]`)).join(',')}]`
      return encodeObject(value, path)
    default:
      throw new NotCanonicalError(`${path} is of type ${typeof value}, which JSON does not have`)
  }
}

function encodeString(text: string, path: string): string {
  if (!text.isWellFormed()) throw new NotCanonicalError(`${path} holds a lone surrogate`)
  if (text.includes('\0')) throw new NotCanonicalError(`${path} holds U+0000`)
  return JSON.stringify(text)
}

function encodeObject(value: object, path: string): string {
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null)
    throw new NotCanonicalError(`${path} is not a plain object`)
  const members = Object.keys(value)
    .sort()
    .map((key) => `${encodeString(key, path)}:${encode((value as JsonObject)[key], `${path}.${key}`)}`)
  return `{${members.join(',')}}`
}
