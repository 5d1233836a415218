import { clientError } from './holdfast-error.ts'

/** Reads a decoded JSON value as the type that it should be; the value's other members are left out. */
export type Reader<T> = (value: unknown) => T

export function object<T>(read: (members: Record<string, unknown>) => T): Reader<T> {
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw unexpected('an object', value)
    return read(value as Record<string, unknown>)
  }
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw unexpected('a text', value)
  return value
}

export function number(value: unknown): number {
  if (typeof value !== 'number') throw unexpected('a number', value)
  return value
}

export function flag(value: unknown): boolean {
  if (typeof value !== 'boolean') throw unexpected('true or false', value)
  return value
}

export function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw unexpected('a list', value)
  return value
}

/** Amounts travel as decimal strings of millisatoshi, because JSON's numbers are floating-point. */
export function msat(value: unknown): bigint {
  if (typeof value !== 'string' || !/^[0-9]{1,19}$/.test(value)) throw unexpected('an amount', value)
  return BigInt(value)
}

export function oneOf<const T extends string>(value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value)
  if (found === undefined) throw unexpected(`one of ${allowed.join(', ')}`, value)
  return found
}

export function nullable<T>(value: unknown, read: Reader<T>): T | null {
  return value === undefined || value === null ? null : read(value)
}

/** Absent and null are the same on the wire. */
export function optional<Key extends string, T>(
  key: Key,
  value: unknown,
  read: Reader<T>,
): { [K in Key]?: T } {
  return value === undefined || value === null ? {} : ({ [key]: read(value) } as { [K in Key]: T })
}

function unexpected(wanted: string, got: unknown) {
  return clientError(
    'RESPONSE_INVALID',
    `The server answered ${JSON.stringify(got)?.slice(0, 60)} where ${wanted} should be.`,
    'Check that the address is that of a Holdfast server, and that this client is not older than it.',
  )
}
