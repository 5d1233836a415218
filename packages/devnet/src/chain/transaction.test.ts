import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatBtc, parseBtc } from './amounts.ts'
import { MalformedBytes } from './bytes.ts'
import { decodeScriptNumber, encodeScriptNumber } from './script/numbers.ts'
import { dustThreshold, outputKind } from './script/output-script.ts'
import { decodeTransaction, finishTransaction } from './transaction.ts'

const bytes = (hex: string) => Buffer.from(hex, 'hex')

/** The signed transaction of BIP-143's native P2WPKH example, and its ids. */
const BIP143 =
  '01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000'

describe('a transaction on the wire', () => {
  test('reads and writes the example of BIP-143', () => {
    const tx = decodeTransaction(bytes(BIP143))
    expect(tx.txid).toBe('e8151a2af31c368a35053ddd4bdb285a8595c769a3ad83e0fa02314a602d4609')
    expect(tx.weight).toBe(3 * tx.baseSize + tx.bytes.length)
    expect(finishTransaction(tx).bytes.toString('hex')).toBe(BIP143)
  })

  test('every made-up transaction is read back the same', () => {
    const blob = (maxLength: number) => fc.uint8Array({ maxLength })
    const input = fc.record({
      txid: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((id) => Buffer.from(id).toString('hex')),
      vout: fc.nat(0xffff_ffff),
      scriptSig: blob(300),
      sequence: fc.nat(0xffff_ffff),
      witness: fc.array(blob(70_000), { maxLength: 3 }),
    })
    const output = fc.record({ value: fc.bigInt({ min: -1n, max: 2n ** 62n }), script: blob(80) })
    const body = fc.record({
      version: fc.nat(0xffff_ffff),
      inputs: fc.array(input, { minLength: 1, maxLength: 4 }),
      outputs: fc.array(output, { maxLength: 4 }),
      lockTime: fc.nat(0xffff_ffff),
    })
    fc.assert(
      fc.property(body, (made) => {
        const tx = finishTransaction(made)
        expect(decodeTransaction(tx.bytes)).toEqual(tx)
      }),
      { numRuns: 50 },
    )
  })

  test('any bytes either are a transaction in its one encoding or are refused', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(255), fc.nat(), (at, value, cut) => {
        const spoiled = bytes(BIP143)
        spoiled[at % spoiled.length] = value
        const cutOff = cut % 3 === 0 ? spoiled.subarray(0, cut % spoiled.length) : spoiled
        try {
          expect(decodeTransaction(cutOff).bytes.equals(cutOff)).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytes)
        }
      }),
    )
  })

  test.each([
    ['nothing', ''],
    ['no inputs', '0200000000000000000000'],
    ['an unknown flag', '020000000002'],
    ['a superfluous witness', `0200000000010100${'11'.repeat(32)}000000000000000000000000`],
    ['a count longer than needed', `02000000fd0100${'11'.repeat(32)}`],
    ['a count longer than needed, in four bytes', '02000000feffff0000'],
    ['a count longer than needed, in eight bytes', '02000000ffffffffff00000000'],
    ['a count that nothing can hold', '02000000ffffffffffffffff7f'],
    ['more inputs than bytes', '02000000fdffff'],
    ['bytes left over', `${BIP143}00`],
  ])('refuses %s', (_, hex) => {
    expect(() => decodeTransaction(bytes(hex))).toThrow(MalformedBytes)
  })
})

describe('amounts', () => {
  test('satoshi survive the way through BTC', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -2_100_000_000_000_000n, max: 2_100_000_000_000_000n }), (satoshi) => {
        expect(parseBtc(formatBtc(satoshi))).toBe(satoshi)
      }),
    )
  })

  test.each([
    ['1e-8', 1n],
    ['1E2', 10_000_000_000n],
    ['0.10', 10_000_000n],
    ['20999999.97690000', 2_099_999_997_690_000n],
    ['0.000000010', 1n],
    ['0.000000001', null],
    ['1e-9', null],
    ['1.', null],
    ['.5', null],
    ['', null],
    [' 1', null],
    ['0x1', null],
    ['NaN', null],
  ])('%s BTC is %s satoshi', (text, satoshi) => {
    expect(parseBtc(text)).toBe(satoshi)
  })
})

describe('script numbers', () => {
  test('every number of four bytes is read back, in one encoding only', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -0x7fff_ffffn, max: 0x7fff_ffffn }), (value) => {
        const encoded = encodeScriptNumber(value)
        expect(decodeScriptNumber(encoded)).toBe(value)
        const needsLast = ((encoded.at(-1) ?? 0) & 0x80) !== 0
        if (!needsLast) expect(decodeScriptNumber(Buffer.concat([encoded, Buffer.alloc(1)]), 5)).toBeNull()
      }),
    )
  })
})

describe('kinds of output', () => {
  const hash20 = '11'.repeat(20)
  test.each([
    ['witness_v0_keyhash', `0014${hash20}`, 294n],
    ['witness_v0_scripthash', `0020${'11'.repeat(32)}`, 330n],
    ['witness_v1_taproot', `5120${'11'.repeat(32)}`, 330n],
    ['anchor', '51024e73', 240n],
    ['witness_unknown', `5220${'11'.repeat(32)}`, 330n],
    ['pubkeyhash', `76a914${hash20}88ac`, 546n],
    ['scripthash', `a914${hash20}87`, 540n],
    ['nulldata', '6a0401020304', 0n],
    ['nonstandard', `6a4c53${'11'.repeat(83)}`, null],
    ['nonstandard', `0015${'11'.repeat(21)}`, null],
    ['nonstandard', '', null],
    ['nonstandard', '51', null],
  ])('%s: %s', (kind, hex, dust) => {
    expect(outputKind(bytes(hex))).toBe(kind)
    if (dust !== null) expect(dustThreshold(bytes(hex))).toBe(dust)
  })
})
