import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BigSizeError, MAX_U64, readBigSize, uintBytes, writeBigSize } from './bigsize.ts'
import { bytesToHex, hexToBytes } from './hex.ts'

// BOLT 1, Appendix A.
const VALID: [value: bigint, hex: string][] = [
  [0n, '00'],
  [252n, 'fc'],
  [253n, 'fd00fd'],
  [65535n, 'fdffff'],
  [65536n, 'fe00010000'],
  [4294967295n, 'feffffffff'],
  [4294967296n, 'ff0000000100000000'],
  [18446744073709551615n, 'ffffffffffffffffff'],
]

test.each(VALID)('%d is written and read as %s', (value, hex) => {
  expect(bytesToHex(writeBigSize(value))).toBe(hex)
  expect(readBigSize(hexToBytes(hex))).toEqual({ value, next: hex.length / 2 })
})

test.each([
  ['fd00fc', 'not-minimal'],
  ['fe0000ffff', 'not-minimal'],
  ['ff00000000ffffffff', 'not-minimal'],
  ['fd00', 'truncated'],
  ['feffff', 'truncated'],
  ['ffffffffff', 'truncated'],
  ['', 'truncated'],
  ['fd', 'truncated'],
  ['fe', 'truncated'],
  ['ff', 'truncated'],
])('%s is refused as %s', (hex, code) => {
  expect(() => readBigSize(hexToBytes(hex))).toThrow(expect.objectContaining({ code }))
})

test.each([-1n, MAX_U64 + 1n])('%d is not written', (value) => {
  expect(() => writeBigSize(value)).toThrow(BigSizeError)
})

test('a number that does not fit its width is not written', () => {
  expect(() => uintBytes(256n, 1)).toThrow(expect.objectContaining({ code: 'out-of-range' }))
})

describe('for every number', () => {
  test('reading what was written gives the number back, at any offset', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, MAX_U64), fc.uint8Array({ maxLength: 4 }), (value, before) => {
        const written = writeBigSize(value)
        const read = readBigSize(Uint8Array.of(...before, ...written, 7), before.length)
        expect(read).toEqual({ value, next: before.length + written.length })
      }),
    )
  })
})
