/** BOLT 12 offers: strict reader, writer, Merkle root, and our policy for publishing. */
export type { BlindedHop, BlindedPath, IntroductionNode } from './bolt12/blinded-path.ts'
export { readBlindedPaths, writeBlindedPaths } from './bolt12/blinded-path.ts'
export { encodeOffer, offerRecords } from './bolt12/encode-offer.ts'
export { Bolt12Error, type Bolt12ErrorCode } from './bolt12/error.ts'
export { merkleRoot, offerId } from './bolt12/merkle-root.ts'
export {
  OFFER_TYPE,
  type Offer,
  type OfferAmount,
  type OfferFields,
  offerChains,
  parseOffer,
} from './bolt12/offer.ts'
export { checkPublishable, type PublishPolicy, type PublishProblem } from './bolt12/publish-policy.ts'
export { decodeBolt12String, encodeBolt12String } from './bolt12/string-format.ts'
export { readTlvStream, type TlvRecord, writeTlvRecord, writeTlvStream } from './bolt12/tlv.ts'
