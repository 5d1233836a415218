import { base32hexnopad, base64 } from '@scure/base'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBase32Hex, decodeBase64, encodeBase64 } from './text-encodings.ts'

/** Null where the library throws. */
function orNull<T>(decode: () => T): T | null {
  try {
    return decode()
  } catch {
    return null
  }
}

test('agree with @scure/base on all bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(encodeBase64(bytes)).toBe(base64.encode(bytes))
      expect(decodeBase64(base64.encode(bytes))).toEqual(bytes)
      const text = base32hexnopad.encode(bytes)
      expect(decodeBase32Hex(text)).toEqual(bytes)
      expect(decodeBase32Hex(text.toLowerCase())).toEqual(bytes)
    }),
  )
})

test('agree with @scure/base on all texts', () => {
  const ofBase64 = fc.string({ unit: fc.constantFrom(...'ABab01+/=\n -') })
  const ofBase32 = fc.string({ unit: fc.constantFrom(...'0189AGVWZ=ßı') })
  fc.assert(
    fc.property(ofBase64, ofBase32, (text64, text32) => {
      expect(decodeBase64(text64)).toEqual(orNull(() => base64.decode(text64)))
      expect(decodeBase32Hex(text32)).toEqual(orNull(() => base32hexnopad.decode(text32)))
    }),
    { numRuns: 2_000 },
  )
})
