import { merkleRoot, readTlvStream, type TlvRecord, writeTlvStream } from '@holdfast/protocols/bolt12'
import { schnorr } from '@noble/curves/secp256k1.js'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from './bytes.ts'
import { offerKeys, payerMetadata, payerSecret, publicKeyOf } from './offer-keys.ts'
import { encodePayee, nameThePayee } from './payee-name.ts'

const keys = offerKeys(new Uint8Array(32).fill(7))
const nonce = new Uint8Array(16).fill(9)
const metadata = payerMetadata(keys, 'ab'.repeat(32), nonce)
const text = (words: string) => new TextEncoder().encode(words)

/** A request as LDK makes it: one offer field before and request fields on both sides of the payer's key. */
function requestOf(fields: readonly TlvRecord[]): Uint8Array {
  const payerId = fromHex(publicKeyOf(payerSecret(keys, { metadata, nonce }, writeTlvStream(fields))))
  const signed = [{ type: 0n, value: metadata }, ...fields, { type: 88n, value: payerId }]
  signed.sort((a, b) => Number(a.type - b.type))
  return writeTlvStream([...signed, { type: 240n, value: new Uint8Array(64) }])
}

const FIELDS = [
  { type: 10n, value: text('one of many') },
  { type: 82n, value: Uint8Array.of(5) },
  { type: 89n, value: text('with a note') },
]

describe('an invoice request that names its payee', () => {
  test('has field 91, a key of its own and a signature by it; all else is as it was', () => {
    const request = requestOf(FIELDS)
    const named = readTlvStream(nameThePayee(request, 'alice@shop.test', { keys, nonce })!)
    expect(named.map(({ type }) => Number(type))).toEqual([0, 10, 82, 88, 89, 91, 240])
    const field = (type: bigint) => named.find((record) => record.type === type)!.value
    expect(Buffer.from(field(91n)).toString()).toBe('\x05alice\x09shop.test')
    for (const { type, value } of [...FIELDS, { type: 0n, value: metadata }])
      expect(field(type)).toEqual(value)
    const payerId = field(88n)
    expect(payerId).not.toEqual(readTlvStream(request).find(({ type }) => type === 88n)?.value)
    const derived = payerSecret(
      keys,
      { metadata, nonce },
      writeTlvStream(named.filter(({ type }) => type !== 0n && type !== 88n && type !== 240n)),
    )
    expect(toHex(payerId)).toBe(publicKeyOf(derived))
    const digest = schnorr.utils.taggedHash(
      'lightninginvoice_requestsignature',
      merkleRoot(named.filter(({ type }) => type !== 240n)),
    )
    expect(schnorr.verify(field(240n), digest, payerId.slice(1))).toBe(true)
  })

  test('is not made of a request whose key is not the one that we would derive', () => {
    const name = (request: Uint8Array, of = { keys, nonce }) => nameThePayee(request, 'alice@shop.test', of)
    expect(name(requestOf(FIELDS), { keys, nonce: new Uint8Array(16) })).toBeNull()
    expect(name(requestOf(FIELDS), { keys: offerKeys(new Uint8Array(32)), nonce })).toBeNull()
    expect(name(writeTlvStream(FIELDS))).toBeNull()
  })
})

test.each(['alice', 'a@b@c', '@b', 'a@', 'a b@c', 'ä@c', `${'a'.repeat(256)}@c`])(
  '%s is no payee',
  (name) => {
    expect(() => encodePayee(name)).toThrow(expect.objectContaining({ code: 'invalid' }))
  },
)
