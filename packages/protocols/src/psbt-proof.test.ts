import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesToHex, hexToBytes } from './hex.ts'
import { decodePsbtProof, encodePsbtProof, isPsbtProof, PsbtProofError } from './psbt-proof.ts'
import { BIP353_PROOFS } from './rfc9102/testing/bip353-proofs.ts'

const ascii = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0))
const field = (name: string, ...proof: number[]) => Uint8Array.from([name.length, ...ascii(name), ...proof])

test('the printed fields are read, and written again as they are', () => {
  for (const hex of Object.values(BIP353_PROOFS)) {
    const bytes = hexToBytes(hex)
    expect(isPsbtProof(bytes)).toBe(true)
    expect(bytesToHex(encodePsbtProof(decodePsbtProof(bytes)))).toBe(hex)
    expect(isPsbtProof(decodePsbtProof(bytes).proof)).toBe(false)
  }
})

test('a name is written in its canonical form, without ₿', () => {
  const value = encodePsbtProof({ name: '₿Alice@Shop.Test', proof: Uint8Array.of(7) })
  expect(value).toEqual(field('alice@shop.test', 7))
  expect(decodePsbtProof(value)).toEqual({ name: 'alice@shop.test', proof: Uint8Array.of(7) })
})

test('the longest proof is written and read', () => {
  const longest = { name: 'a@b', proof: new Uint8Array(65_535) }
  expect(decodePsbtProof(encodePsbtProof(longest))).toEqual(longest)
})

test('letter case is not minded when reading', () => {
  expect(decodePsbtProof(field('Alice@Shop.Test', 7)).name).toBe('alice@shop.test')
})

test.each([
  ['nothing', new Uint8Array()],
  ['no name', Uint8Array.of(0, 1)],
  ['no proof', field('alice@shop.test')],
  ['a name that is cut', field('alice@shop.test').slice(0, -1)],
  ['a name with ₿ in UTF-8', Uint8Array.of(7, 0xe2, 0x82, 0xbf, ...ascii('a@bc'), 7)],
  ['a name of other letters', Uint8Array.of(5, 0xc3, 0xa4, ...ascii('@bc'), 7)],
  ['a name in Latin-1', Uint8Array.of(4, 0xe4, ...ascii('@bc'), 7)],
  ['no @', field('alice.shop.test', 7)],
  ['more than a chain can hold', Uint8Array.from([...field('a@b'), ...new Uint8Array(65_536)])],
])('%s is no such field', (_, bytes) => {
  expect(() => decodePsbtProof(bytes)).toThrow(PsbtProofError)
  expect(isPsbtProof(bytes)).toBe(false)
})

test.each([
  ['no proof', { name: 'a@b', proof: new Uint8Array() }],
  ['no name', { name: 'ab', proof: Uint8Array.of(1) }],
  ['a proof that is too long', { name: 'a@b', proof: new Uint8Array(65_536) }],
])('%s cannot be written', (_, proof) => {
  expect(() => encodePsbtProof(proof)).toThrow(PsbtProofError)
})

test('arbitrary bytes are read or refused, never anything else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      if (isPsbtProof(bytes)) expect(decodePsbtProof(bytes).proof.length).toBeGreaterThan(0)
    }),
  )
})
