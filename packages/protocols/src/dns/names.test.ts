import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeIpv4, decodeIpv6, encodeIpv4, encodeIpv6 } from './address.ts'
import {
  canonicalName,
  compareNames,
  isAtOrBelow,
  labelCount,
  labelsOf,
  nameFromLabels,
  nameToWire,
  parentOf,
  parseName,
  rightmostLabels,
  sameName,
  wildcardOf,
} from './names.ts'
import { canonicalRdata, encodeTxt } from './rdata.ts'
import { WireReader } from './reader.ts'
import { anyName } from './testing/arbitraries.ts'
import { decodeTypeBitmap, encodeTypeBitmap } from './type-bitmap.ts'
import { DnsWireError } from './wire-error.ts'
import { WireWriter } from './writer.ts'

function refusal(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof DnsWireError) return error.code
    throw error
  }
  return 'accepted'
}

describe('names', () => {
  test('text → labels → text and text → wire → text give the same name', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        expect(nameFromLabels(labelsOf(name))).toBe(name)
        expect(new WireReader(nameToWire(name)).name()).toBe(name)
        expect(parseName(name)).toBe(name)
      }),
    )
  })

  const forms: [string, string][] = [
    ['.', '.'],
    ['shop.test', 'shop.test.'],
    ['Shop.Test.', 'Shop.Test.'],
    ['\\065\\.b.c', 'A\\.b.c.'],
    ['a\\032b.', 'a\\032b.'],
    ['\\(x\\;.', '\\(x\\;.'],
  ]
  test.each(forms)('%s is read as %s', (text, name) => {
    expect(parseName(text)).toBe(name)
  })

  const bad: [string, string][] = [
    ['', 'bad-name-text'],
    ['a..b', 'bad-label'],
    ['.a', 'bad-label'],
    ['ä.test', 'bad-name-text'],
    ['a b', 'bad-name-text'],
    ['a\\', 'bad-name-text'],
    ['a\\25', 'bad-name-text'],
    ['a\\256', 'bad-name-text'],
    [`${'a'.repeat(64)}.`, 'bad-label'],
    [`${'a.'.repeat(128)}`, 'name-too-long'],
  ]
  test.each(bad)('%j is no name', (text, code) => {
    expect(refusal(() => parseName(text))).toBe(code)
  })

  test('labels of 0 or 64 octets, and 256 octets in all, are refused', () => {
    expect(refusal(() => nameFromLabels([new Uint8Array(0)]))).toBe('bad-label')
    expect(refusal(() => nameFromLabels([new Uint8Array(64)]))).toBe('bad-label')
    expect(refusal(() => nameFromLabels(Array.from({ length: 128 }, () => new Uint8Array(1))))).toBe(
      'name-too-long',
    )
    expect(nameFromLabels(Array.from({ length: 127 }, () => Uint8Array.of(0x61)))).toHaveLength(254)
  })

  test('letter case does not distinguish names, other octets do', () => {
    expect(sameName('ALICE.Shop.test', 'alice.shop.TEST.')).toBe(true)
    expect(sameName('a\\193.', 'a\\225.')).toBe(false)
    expect(canonicalName('\\065.B')).toBe('a.b.')
  })

  test('the canonical order is that of the example in RFC 4034 §6.1', () => {
    const sorted = [
      'example.',
      'a.example.',
      'yljkjljk.a.example.',
      'Z.a.example.',
      'zABC.a.EXAMPLE.',
      'z.example.',
      '\\001.z.example.',
      '*.z.example.',
      '\\200.z.example.',
    ]
    expect([...sorted].reverse().sort(compareNames)).toEqual(sorted)
  })

  test('above, below, parent and wildcard', () => {
    expect(isAtOrBelow('a.Shop.test.', 'shop.TEST.')).toBe(true)
    expect(isAtOrBelow('shop.test.', 'shop.test.')).toBe(true)
    expect(isAtOrBelow('ashop.test.', 'shop.test.')).toBe(false)
    expect(isAtOrBelow('test.', 'shop.test.')).toBe(false)
    expect(isAtOrBelow('test.', '.')).toBe(true)
    expect(parentOf('a.b.')).toBe('b.')
    expect(parentOf('.')).toBeNull()
    expect(labelCount('*.a.')).toBe(2)
    expect(rightmostLabels('a.b.c.', 2)).toBe('b.c.')
    expect(refusal(() => rightmostLabels('a.', 2))).toBe('out-of-range')
    expect(wildcardOf('b.')).toBe('*.b.')
  })
})

describe('fields', () => {
  test('type bitmaps survive', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 65_535 })), (types) => {
        expect(decodeTypeBitmap(encodeTypeBitmap(types))).toEqual([...types].sort((a, b) => a - b))
      }),
    )
  })

  test('addresses', () => {
    expect(decodeIpv4(encodeIpv4('192.0.2.1'))).toBe('192.0.2.1')
    expect(decodeIpv6(encodeIpv6('2001:db8::1'))).toBe('2001:db8:0:0:0:0:0:1')
    expect(decodeIpv6(encodeIpv6('::'))).toBe('0:0:0:0:0:0:0:0')
    expect(decodeIpv6(encodeIpv6('1:2:3:4:5:6:7:8'))).toBe('1:2:3:4:5:6:7:8')
    for (const text of ['1.2.3', '1.2.3.256', '01.2.3.4', 'a.b.c.d']) {
      expect(refusal(() => encodeIpv4(text))).toBe('bad-rdata')
    }
    for (const text of ['1:2', '1::2::3', '1:2:3:4:5:6:7::8', 'g::', '12345::']) {
      expect(refusal(() => encodeIpv6(text))).toBe('bad-rdata')
    }
    expect(refusal(() => decodeIpv4(new Uint8Array(3)))).toBe('bad-rdata')
    expect(refusal(() => decodeIpv6(new Uint8Array(3)))).toBe('bad-rdata')
  })

  test('names inside of RDATA are lower-cased in canonical form (RFC 4034 §6.2)', () => {
    expect(canonicalRdata(2, nameToWire('NS.Test.'))).toEqual(nameToWire('ns.test.'))
    expect(canonicalRdata(16, Uint8Array.of(1, 0x41))).toEqual(Uint8Array.of(1, 0x41))
  })

  test('a TXT has at least one string, of at most 255 bytes', () => {
    expect(refusal(() => encodeTxt([]))).toBe('bad-rdata')
    expect(refusal(() => encodeTxt([new Uint8Array(256)]))).toBe('out-of-range')
  })

  test('numbers keep within their field', () => {
    expect(new WireReader(new WireWriter().u48(0x1234_5678_9abc).finish()).u48()).toBe(0x1234_5678_9abc)
    for (const value of [-1, 1.5, 256, Number.NaN]) {
      expect(refusal(() => new WireWriter().u8(value))).toBe('out-of-range')
    }
    expect(refusal(() => new WireReader(new Uint8Array(2), 0, 3))).toBe('truncated')
  })
})
