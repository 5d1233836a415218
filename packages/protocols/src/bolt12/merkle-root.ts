import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { writeBigSize } from '../bigsize.ts'
import { bytesToHex, type Hex } from '../hex.ts'
import { encodeUtf8 } from '../utf8.ts'
import { OFFER_PREFIX, type Offer } from './offer.ts'
import { decodeBolt12String } from './string-format.ts'
import { readTlvStream, type TlvRecord, writeTlvRecord } from './tlv.ts'

/** The Merkle root of an offer's fields, which Core Lightning calls `offer_id`. */
export function offerId(offer: Offer): Hex {
  return bytesToHex(merkleRoot(readTlvStream(decodeBolt12String(offer.text, OFFER_PREFIX).bytes)))
}

/** BOLT 12, "Signature Calculation". `records` holds at least one field, ascending, and no signature fields. */
export function merkleRoot(records: readonly TlvRecord[]): Uint8Array {
  const first = records[0]
  if (first === undefined) throw new RangeError('a Merkle tree needs at least one field')
  const nonceTag = concatBytes(encodeUtf8('LnNonce'), writeTlvRecord(first))
  let level = records.map((record) =>
    branch(
      taggedHash(encodeUtf8('LnLeaf'), writeTlvRecord(record)),
      taggedHash(nonceTag, writeBigSize(record.type)),
    ),
  )
  // Without a power of two of leaves, "the deepest tree [is] on the lowest-order leaves": pair from the left and
  // carry the odd one up.
  while (level.length > 1) {
    const above: Uint8Array[] = []
    for (let at = 0; at < level.length; at += 2) {
      const right = level[at + 1]
      above.push(right === undefined ? level[at]! : branch(level[at]!, right))
    }
    level = above
  }
  return level[0]!
}

function branch(a: Uint8Array, b: Uint8Array): Uint8Array {
  const [lesser, greater] = bytesToHex(a) < bytesToHex(b) ? [a, b] : [b, a]
  return taggedHash(encodeUtf8('LnBranch'), concatBytes(lesser, greater))
}

/** H(tag, msg) of BIP-340. */
function taggedHash(tag: Uint8Array, message: Uint8Array): Uint8Array {
  const hashedTag = sha256(tag)
  return sha256(concatBytes(hashedTag, hashedTag, message))
}
