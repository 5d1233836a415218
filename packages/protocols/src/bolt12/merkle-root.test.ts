import { expect, test } from 'vitest'
import { bytesToHex, hexToBytes } from '../hex.ts'
import { publicKey } from '../testing/points.ts'
import { encodeUtf8 } from '../utf8.ts'
import { encodeOffer } from './encode-offer.ts'
import { merkleRoot, offerId } from './merkle-root.ts'
import { readTlvStream } from './tlv.ts'

const TLV1 = '010203e8'
const TLV2 = '02080000010000020003'
const TLV3 =
  '03310266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c0351800000000000000010000000000000002'
// The examples of BOLT 12, "Signature Calculation" (its file of signature tests).
test.each([
  ['one field', TLV1, 'b013756c8fee86503a0b4abdab4cddeb1af5d344ca6fc2fa8b6c08938caa6f93'],
  ['two fields', TLV1 + TLV2, 'c3774abbf4815aa54ccaa026bff6581f01f3be5fe814c620a252534f434bc0d1'],
  ['three fields', TLV1 + TLV2 + TLV3, 'ab2e79b1283b0b31e0b035258de23782df6b89a38cfa7237bde69aed1a658c5d'],
])('the root of %s', (_, stream, root) => {
  expect(bytesToHex(merkleRoot(readTlvStream(hexToBytes(stream))))).toBe(root)
})

test('the root of an invoice request for a mathematical treatise', () => {
  const records = [
    { type: 0n, value: new Uint8Array(8) },
    { type: 6n, value: encodeUtf8('USD') },
    { type: 8n, value: Uint8Array.of(100) },
    { type: 10n, value: encodeUtf8('A Mathematical Treatise') },
    { type: 22n, value: hexToBytes(publicKey(0x41)) },
    { type: 88n, value: hexToBytes(publicKey(0x42)) },
  ]
  expect(bytesToHex(merkleRoot(records))).toBe(
    '608407c18ad9a94d9ea2bcdbe170b6c20c462a7833a197621c916f78cf18e624',
  )
})

test('an offer id depends on every field', () => {
  const issuerId = publicKey(0x41)
  const ids = [{}, { description: 'tea' }, { description: 'tea', issuer: 'shop' }].map((fields) =>
    offerId(encodeOffer({ issuerId, ...fields })),
  )
  expect(new Set(ids).size).toBe(3)
})

test('no fields have no root', () => {
  expect(() => merkleRoot([])).toThrow(RangeError)
})
