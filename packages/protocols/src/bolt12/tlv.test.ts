import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_U64 } from '../bigsize.ts'
import { hexToBytes } from '../hex.ts'
import { readTlvStream, readTu64, writeTlvStream, writeTu64 } from './tlv.ts'

describe('refused by BOLT 1, Appendix B, is', () => {
  test.each([
    ['a truncated type', 'fd', 'truncated'],
    ['a truncated type of three bytes', 'fd01', 'truncated'],
    ['a type with a shorter form', 'fd000100', 'not-minimal'],
    ['a missing length', 'fd0101', 'truncated'],
    ['a truncated length', '0ffd', 'truncated'],
    ['a truncated length of three bytes', '0ffd26', 'truncated'],
    ['a missing value', '0ffd2602', 'truncated'],
    ['a length with a shorter form', '0ffd000100', 'not-minimal'],
    ['a truncated value', '0ffd020100', 'truncated'],
    ['a length beyond 2^53', '0fffffffffffffffffff', 'truncated'],
    ['a type out of order', '0208000000000000022601012a', 'not-ascending'],
    ['a type twice', '0208000000000000023102080000000000000451', 'not-ascending'],
  ])('%s', (_, hex, code) => {
    expect(() => readTlvStream(hexToBytes(hex))).toThrow(
      expect.objectContaining({ name: 'Bolt12Error', code }),
    )
  })
})

test('an empty stream has no records', () => {
  expect(readTlvStream(new Uint8Array())).toEqual([])
})

const ascendingRecords = fc
  .uniqueArray(fc.record({ type: fc.bigInt(0n, MAX_U64), value: fc.uint8Array({ maxLength: 300 }) }), {
    selector: ({ type }) => type,
  })
  .map((records) => records.sort((a, b) => (a.type < b.type ? -1 : 1)))

test('records survive the way through a stream', () => {
  fc.assert(
    fc.property(ascendingRecords, (records) => {
      expect(readTlvStream(writeTlvStream(records))).toEqual(records)
    }),
  )
})

describe('a tu64', () => {
  test.each([
    [0n, ''],
    [1n, '01'],
    [256n, '0100'],
    [MAX_U64, 'ffffffffffffffff'],
  ])('%d is %s', (value, hex) => {
    expect(writeTu64(value)).toEqual(hexToBytes(hex))
    expect(readTu64(8n, hexToBytes(hex))).toBe(value)
  })

  test.each([
    ['00', 'not-minimal'],
    ['0001', 'not-minimal'],
    ['ffffffffffffffffff', 'bad-length'],
  ])('%s is refused as %s', (hex, code) => {
    expect(() => readTu64(8n, hexToBytes(hex))).toThrow(expect.objectContaining({ code }))
  })

  test.each([-1n, MAX_U64 + 1n])('%d is not written', (value) => {
    expect(() => writeTu64(value)).toThrow(expect.objectContaining({ code: 'bad-value' }))
  })
})
