import { concatBytes } from '@noble/hashes/utils.js'
import { hexToBytes } from '../hex.ts'
import { encodeUtf8 } from '../utf8.ts'
import { writeBlindedPaths } from './blinded-path.ts'
import { Bolt12Error } from './error.ts'
import { OFFER_PREFIX, OFFER_TYPE, type Offer, type OfferFields, parseOffer } from './offer.ts'
import { encodeBolt12String } from './string-format.ts'
import { type TlvRecord, writeTlvStream, writeTu64 } from './tlv.ts'

/**
 * Writes an offer and reads it back, so that nothing is written that `parseOffer` would not accept.
 * Throws `Bolt12Error`.
 */
export function encodeOffer(fields: OfferFields): Offer {
  return parseOffer(encodeBolt12String(OFFER_PREFIX, writeTlvStream(offerRecords(fields))))
}

/** The fields as a TLV stream's records, in ascending order. */
export function offerRecords(fields: OfferFields): TlvRecord[] {
  try {
    return toRecords(fields).sort((a, b) => (a.type < b.type ? -1 : 1))
  } catch (error) {
    if (error instanceof Bolt12Error) throw error
    throw new Bolt12Error('bad-value', 'a field holds malformed hex or a number out of range', {
      cause: error,
    })
  }
}

function toRecords(fields: OfferFields): TlvRecord[] {
  const records: TlvRecord[] = []
  const add = <T>(type: bigint, field: T | undefined, write: (field: T) => Uint8Array) => {
    if (field !== undefined) records.push({ type, value: write(field) })
  }
  const { amount } = fields
  add(OFFER_TYPE.chains, fields.chains, (chains) => concatBytes(...chains.map(hexToBytes)))
  add(OFFER_TYPE.metadata, fields.metadata, hexToBytes)
  if (amount !== undefined && 'currency' in amount) {
    add(OFFER_TYPE.currency, amount.currency, encodeUtf8)
    add(OFFER_TYPE.amount, amount.minorUnits, writeTu64)
  } else {
    add(OFFER_TYPE.amount, amount?.msat, writeTu64)
  }
  add(OFFER_TYPE.description, fields.description, encodeUtf8)
  add(OFFER_TYPE.features, fields.features, hexToBytes)
  add(OFFER_TYPE.absoluteExpiry, fields.absoluteExpirySeconds, writeTu64)
  add(OFFER_TYPE.paths, fields.paths, writeBlindedPaths)
  add(OFFER_TYPE.issuer, fields.issuer, encodeUtf8)
  add(OFFER_TYPE.quantityMax, fields.quantityMax, writeTu64)
  add(OFFER_TYPE.issuerId, fields.issuerId, hexToBytes)
  for (const { type, value } of fields.unknown ?? []) add(type, value, hexToBytes)
  return records
}
