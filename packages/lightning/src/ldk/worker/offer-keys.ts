import { createCipheriv } from 'node:crypto'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { HDKey } from '@scure/bip32'
import { pointFromScalar } from 'tiny-secp256k1'
import type { Hex } from '../../ports.ts'
import { fromHex, toHex } from './bytes.ts'

/**
 * The keys of offers and invoice requests. LDK keeps none of them: it knows its own by a key that follows from its
 * inbound key material, a nonce and all other fields (LDK `offers/signer.rs`). What LDK's builders cannot say in these
 * bindings is written by us, under the key that LDK will derive.
 */
const DERIVES_KEYS = new Uint8Array(16).fill(2)
const WITHOUT_PAYMENT_ID = new Uint8Array(16).fill(3)
const WITH_PAYMENT_ID = new Uint8Array(16).fill(4)

export type OfferKeys = {
  /** LDK's `offers_base_key`. */
  readonly base: Uint8Array
  /** LDK's `offers_encryption_key`. */
  readonly encryption: Uint8Array
}

/** LDK's KeysManager takes the secret of the seed's child 5' as inbound key material and expands it into six keys. */
export function offerKeys(seed: Uint8Array): OfferKeys {
  const material = HDKey.fromMasterSeed(seed).derive("m/5'").privateKey
  if (!material) throw new Error('A derived key has a private key.')
  const EXPANDED_KEYS = 6
  const expanded = hkdf(
    sha256,
    material,
    utf8ToBytes('LDK Inbound Payment Key Expansion'),
    undefined,
    EXPANDED_KEYS * 32,
  )
  return { base: expanded.slice(3 * 32, 4 * 32), encryption: expanded.slice(4 * 32, 5 * 32) }
}

/** `fields` is the offer's TLV stream without metadata and issuer id. */
export function issuerIdOf({ base }: OfferKeys, nonce: Uint8Array, fields: Uint8Array): Hex {
  const material = concatBytes(utf8ToBytes('LDK Offer v2~~~~'), nonce, fields)
  return publicKeyOf(hmac(sha256, base, concatBytes(material, DERIVES_KEYS, WITHOUT_PAYMENT_ID)))
}

/** The metadata (field 0) of this node's invoice request for a payment: its id, encrypted. */
export function payerMetadata({ encryption }: OfferKeys, paymentId: Hex, nonce: Uint8Array): Uint8Array {
  // OpenSSL takes the block counter and the nonce of ChaCha20 as one value, as LDK does.
  return new Uint8Array(createCipheriv('chacha20', encryption, nonce).update(fromHex(paymentId)))
}

/** The secret key that signs an invoice request; `fields` is its TLV stream without metadata, payer id and signature. */
export function payerSecret(
  { base }: OfferKeys,
  { metadata, nonce }: { metadata: Uint8Array; nonce: Uint8Array },
  fields: Uint8Array,
): Uint8Array {
  const material = concatBytes(utf8ToBytes('LDK Invreq ~~~~~'), nonce, fields)
  return hmac(sha256, base, concatBytes(material, DERIVES_KEYS, WITH_PAYMENT_ID, metadata))
}

export function publicKeyOf(secret: Uint8Array): Hex {
  const point = pointFromScalar(secret, true)
  if (point === null) throw new RangeError('This is no secret key.')
  return toHex(point)
}
