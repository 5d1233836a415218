import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBolt12String, encodeBolt12String } from './string-format.ts'

const OFFER = encodeBolt12String(
  'lno',
  Uint8Array.from({ length: 40 }, (_, at) => at),
)
const HALF = OFFER.length / 2

describe('the same string is read from', () => {
  test.each([
    ['lower case', OFFER],
    ['upper case', OFFER.toUpperCase()],
    ['parts joined by +', `${OFFER.slice(0, HALF)}+${OFFER.slice(HALF)}`],
    ['parts joined by + and whitespace', `${OFFER.slice(0, HALF)}+\r\n\t ${OFFER.slice(HALF)}`],
    ['a + inside the prefix', `l+no${OFFER.slice(3)}`],
    ['single characters joined by +', OFFER.split('').join('+ ')],
  ])('%s', (_, text) => {
    expect(decodeBolt12String(text, 'lno').text).toBe(OFFER)
  })
})

describe('refused is', () => {
  test.each([
    ['mixed case', `L${OFFER.slice(1)}`, 'mixed-case'],
    ['a + at the end', `${OFFER}+`, 'bad-continuation'],
    ['a + and whitespace at the end', `${OFFER}+ \n`, 'bad-continuation'],
    ['a + at the beginning', `+${OFFER}`, 'bad-continuation'],
    ['two + in a row', `${OFFER.slice(0, HALF)}++${OFFER.slice(HALF)}`, 'bad-continuation'],
    ['whitespace before the +', `${OFFER.slice(0, HALF)} +${OFFER.slice(HALF)}`, 'bad-continuation'],
    ['whitespace alone', `${OFFER.slice(0, HALF)} ${OFFER.slice(HALF)}`, 'bad-character'],
    ['whitespace around', ` ${OFFER}`, 'bad-prefix'],
    [
      'a no-break space after the +',
      `${OFFER.slice(0, HALF)}+\u00a0${OFFER.slice(HALF)}`,
      'bad-continuation',
    ],
    ['another prefix', `lni1${OFFER.slice(4)}`, 'bad-prefix'],
    ['the prefix alone', 'lno', 'bad-prefix'],
    ['nothing', '', 'bad-prefix'],
    ['a second separator', 'lno1qq1qq', 'bad-character'],
    ['b, i and o, which bech32 leaves out', 'lno1bio', 'bad-character'],
    ['a letter that lower-cases to ASCII', 'LNO1QQ\u212a', 'bad-character'],
    ['five bits left over', 'lno1q', 'bad-padding'],
    ['a bit set in what is left over', 'lno1qp', 'bad-padding'],
    ['65,537 characters', `lno1${'q'.repeat(65_533)}`, 'too-long'],
  ])('%s', (_, text, code) => {
    expect(() => decodeBolt12String(text, 'lno')).toThrow(
      expect.objectContaining({ name: 'Bolt12Error', code }),
    )
  })
})

test('any bytes survive the way through a string', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const text = encodeBolt12String('lno', bytes)
      expect(decodeBolt12String(text, 'lno')).toEqual({ text, bytes })
    }),
  )
})

test('what is accepted has one canonical form', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'qpzry9xL+ 1'), maxLength: 12 }), (tail) => {
      const decoded = attempt(() => decodeBolt12String(`lno1${tail}`, 'lno'))
      if (decoded !== null) expect(encodeBolt12String('lno', decoded.bytes)).toBe(decoded.text)
    }),
  )
})

function attempt<T>(decode: () => T): T | null {
  try {
    return decode()
  } catch (error) {
    expect(error).toMatchObject({ name: 'Bolt12Error' })
    return null
  }
}
