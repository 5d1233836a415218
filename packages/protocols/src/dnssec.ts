/**
 * Our own strict DNSSEC validator (RFC 4033–4035, 5155, 6840, 9276): from a trust anchor down to a TXT record, with a
 * transport that the caller supplies. Runs in browsers and on servers.
 */
export type { Verdict, VerifySignature } from './dnssec/algorithms.ts'
export {
  formatBindTrustAnchors,
  formatTrustAnchor,
  parseTrustAnchors,
  ROOT_ANCHORS,
  type TrustAnchor,
  TrustAnchorError,
} from './dnssec/anchors.ts'
export type { DnsQuery } from './dnssec/answer-source.ts'
export { type ResolveOptions, resolveTxt } from './dnssec/resolve-txt.ts'
export type { BogusCode, TxtResolution } from './dnssec/result.ts'
export { makeVerifiedSignatures, type VerifiedSignatures } from './dnssec/verified-signatures.ts'
