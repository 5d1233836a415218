import { expect, test } from 'vitest'
import { bytesToHex, hexToBytes } from '../hex.ts'
import { encodeOffer } from './encode-offer.ts'
import { merkleRoot, offerId } from './merkle-root.ts'
import { decodeBolt12String } from './string-format.ts'
import { readTlvStream } from './tlv.ts'

const TLV1 = '010203e8'
const TLV2 = '02080000010000020003'
const TLV3 =
  '03310266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c0351800000000000000010000000000000002'
const INVOICE_REQUEST =
  'lnr1qqyqqqqqqqqqqqqqqcp4256ypqqkgzshgysy6ct5dpjk6ct5d93kzmpq23ex2ct5d9ek293pqthvwfzadd7jejes8q9lhc4rvjxd022zv5l44g6qah82ru5rdpnpjkppqvjx204vgdzgsqpvcp4mldl3plscny0rt707gvpdh6ndydfacz43euzqhrurageg3n7kafgsek6gz3e9w52parv8gs2hlxzk95tzeswywffxlkeyhml0hh46kndmwf4m6xma3tkq2lu04qz3slje2rfthc89vss'

// The examples of BOLT 12, "Signature Calculation" (its file of signature tests).
test.each([
  ['one field', TLV1, 'b013756c8fee86503a0b4abdab4cddeb1af5d344ca6fc2fa8b6c08938caa6f93'],
  ['two fields', TLV1 + TLV2, 'c3774abbf4815aa54ccaa026bff6581f01f3be5fe814c620a252534f434bc0d1'],
  ['three fields', TLV1 + TLV2 + TLV3, 'ab2e79b1283b0b31e0b035258de23782df6b89a38cfa7237bde69aed1a658c5d'],
])('the root of %s', (_, stream, root) => {
  expect(bytesToHex(merkleRoot(readTlvStream(hexToBytes(stream))))).toBe(root)
})

test('the root of an invoice request without its signature', () => {
  const records = readTlvStream(decodeBolt12String(INVOICE_REQUEST, 'lnr').bytes)
  const root = merkleRoot(records.filter(({ type }) => type < 240n))
  expect(bytesToHex(root)).toBe('608407c18ad9a94d9ea2bcdbe170b6c20c462a7833a197621c916f78cf18e624')
})

test('an offer id depends on every field', () => {
  const issuerId = '02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619'
  const ids = [{}, { description: 'tea' }, { description: 'tea', issuer: 'shop' }].map((fields) =>
    offerId(encodeOffer({ issuerId, ...fields })),
  )
  expect(new Set(ids).size).toBe(3)
})

test('no fields have no root', () => {
  expect(() => merkleRoot([])).toThrow(RangeError)
})
