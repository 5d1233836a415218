import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson, NotCanonicalError } from './canonical-json.ts'
import type { JsonValue } from './json.ts'

describe('canonical JSON', () => {
  test.each<[string, JsonValue, string]>([
    ['members are sorted and nothing is between them', { b: 1, a: [true, null] }, '{"a":[true,null],"b":1}'],
    // RFC 8785 section 3.2.3: sorted by UTF-16 code units, so that U+1F600 (D83D …) comes before U+FB33.
    [
      'the order is that of UTF-16',
      { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, ö: 7 },
      '{"\\r":2,"1":4,"\u0080":6,"ö":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}',
    ],
    // RFC 8785 section 3.2.2.2.
    ['strings are escaped as little as JSON allows', '€$\u000f\nA\'B"\\/', '"€$\\u000f\\nA\'B\\"\\\\/"'],
    ['negative zero is zero', -0, '0'],
    ['the largest safe integer', Number.MAX_SAFE_INTEGER, '9007199254740991'],
    ['empty things', { a: {}, b: [], c: '' }, '{"a":{},"b":[],"c":""}'],
  ])('%s', (_rule, value, text) => {
    expect(canonicalJson(value)).toBe(text)
  })

  test.each<[string, unknown, string]>([
    ['a float', { fee: 0.1 }, '$.fee is not a safe integer'],
    ['a number that lost digits', 2 ** 53, '$ is not a safe integer'],
    ['NaN', Number.NaN, '$ is not a safe integer'],
    ['a bigint', { a: [1, 2n] }, '$.a[1] is of type bigint'],
    ['undefined', { a: undefined }, '$.a is of type undefined'],
    ['a function', () => 1, '$ is of type function'],
    ['a date', { at: new Date(0) }, '$.at is not a plain object'],
    ['a lone surrogate', 'x\ud800', '$ holds a lone surrogate'],
    ['a lone surrogate in a name', { '\udc00': 1 }, '$ holds a lone surrogate'],
    ['U+0000, which jsonb cannot hold', { a: 'x\0' }, '$.a holds U+0000'],
  ])('%s is refused without showing the value', (_what, value, message) => {
    expect(() => canonicalJson(value as JsonValue)).toThrow(NotCanonicalError)
    expect(() => canonicalJson(value as JsonValue)).toThrow(message)
  })

  const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'))
  const { json } = fc.letrec<{ json: JsonValue }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('json'), { maxLength: 4 }),
      fc.dictionary(text, tie('json'), { maxKeys: 4 }),
    ),
  }))

  test('does not depend on the order of members, and reads back as the same value', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value)
        expect(canonicalJson(reversed(value))).toBe(text)
        expect(canonicalJson(JSON.parse(text))).toBe(text)
      }),
    )
  })
})

function reversed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  )
}
