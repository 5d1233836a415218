import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from './testing/master-file-strings.ts'
import { decodeTxtContent, encodeTxtContent } from './txt-content.ts'

describe('the content of a TXT record', () => {
  test.each([
    ['', '""'],
    ['bitcoin:?lno=lno1abc', '"bitcoin:?lno=lno1abc"'],
    ['say "hi"; \\o/', '"say \\"hi\\"; \\\\o/"'],
    ['₿', '"\\226\\130\\191"'],
    ['x'.repeat(255), `"${'x'.repeat(255)}"`],
    ['x'.repeat(256), `"${'x'.repeat(255)}" "x"`],
  ])('%j is sent as %j', (value, content) => {
    expect(encodeTxtContent(value)).toBe(content)
    expect(decodeTxtContent(content)).toBe(value)
  })

  test.each([
    ['unquoted by somebody else', 'unquoted by somebody else'],
    ['"one" "two"', 'onetwo'],
    ['"one"   "two"', 'onetwo'],
    ['"₿ not escaped"', '₿ not escaped'],
    ['"a \\; b"', 'a ; b'],
    ['"never ends', null],
    ['"ends" twice', null],
    ['"ends" "but \\', null],
    ['"no octet \\999"', null],
    ['"no octet \\1a"', null],
  ])('%j is listed for %j', (content, value) => {
    expect(decodeTxtContent(content)).toBe(value)
  })

  test('any value comes back, and a name server reads the same bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const value = Buffer.from(text).toString('utf8')
        expect(decodeTxtContent(encodeTxtContent(value))).toBe(value)
        expect(Buffer.concat(parse(encodeTxtContent(value))).toString('utf8')).toBe(value)
      }),
      { numRuns: 50 },
    )
  })

  test('any content is read or refused, quickly', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('"', '\\', ' ', 'a', '0', '₿'), { maxLength: 400 }), (parts) => {
        expect(() => decodeTxtContent(parts.join(''))).not.toThrow()
      }),
    )
  })
})
