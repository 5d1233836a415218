import { secp256k1 } from '@noble/curves/secp256k1.js'
import { describe, expect, test } from 'vitest'
import { decodeInvoice } from '../bolt11.ts'
import { assemble, fieldOf, unsignedWords } from '../testing/bolt11-encoder.ts'
import { publicKey, secretKey } from '../testing/points.ts'
import { signedHash } from './signature.ts'

const BASE = [
  fieldOf.hex('p', 'aa'.repeat(32)),
  fieldOf.hex('s', 'bb'.repeat(32)),
  fieldOf.description('tea'),
  fieldOf.features([9, 14]),
]

describe('the signature', () => {
  const fields = [...BASE, fieldOf.hex('n', publicKey(1))]
  const words = unsignedWords({ fields, secretKey: secretKey(1) })
  const sign = (key: Uint8Array) =>
    secp256k1.Signature.fromBytes(
      secp256k1.sign(signedHash('lnbcrt', words), key, { prehash: false, format: 'recovered' }),
      'recovered',
    )
  const invoiceOf = (r: bigint, s: bigint, recovery: number) =>
    assemble('lnbcrt', words, Uint8Array.of(...new secp256k1.Signature(r, s).toBytes(), recovery))

  test('of the payee named is accepted', () => {
    const { r, s, recovery } = sign(secretKey(1))
    expect(decodeInvoice(invoiceOf(r, s, recovery!)).payee).toBe(publicKey(1))
  })

  test.each([
    ['of another key than the payee named', () => invoiceOf(sign(secretKey(2)).r, sign(secretKey(2)).s, 0)],
    [
      'with a high S and a payee named',
      () => invoiceOf(sign(secretKey(1)).r, secp256k1.Point.Fn.ORDER - sign(secretKey(1)).s, 0),
    ],
    ['with recovery id 4', () => invoiceOf(sign(secretKey(1)).r, sign(secretKey(1)).s, 4)],
    ['of zeros with a payee named', () => assemble('lnbcrt', words, new Uint8Array(65))],
  ])('%s is refused', (_, make) => {
    expect(() => decodeInvoice(make())).toThrow(expect.objectContaining({ code: 'bad-signature' }))
  })

  test.each([
    ['zeros', new Uint8Array(65)],
    ['R beyond the curve order', new Uint8Array(65).fill(0xff, 0, 64)],
    ['R at no point of the curve', Uint8Array.of(...new Uint8Array(31), 5, ...new Uint8Array(31), 1, 0)],
    [
      'R too large for recovery id 2',
      Uint8Array.of(...new Uint8Array(32).fill(0x7f), ...new Uint8Array(31), 1, 2),
    ],
  ])('from which no key can be recovered is refused: %s', (_, signature) => {
    const encoded = assemble('lnbcrt', unsignedWords({ fields: BASE, secretKey: secretKey(1) }), signature)
    expect(() => decodeInvoice(encoded)).toThrow(expect.objectContaining({ code: 'bad-signature' }))
  })
})
