/**
 * BIP-353 names: resolve them from the live DNS, prove what was found (RFC 9102), and verify such proofs offline. No
 * resolver and no prover is trusted: every signature is checked from the root's keys down. Pure, without Node modules.
 */
export { type BitcoinUri, parseBitcoinUri } from '@holdfast/protocols/bip321'
export { Bip353Error, type PaymentName, parseName, recordName } from '@holdfast/protocols/bip353'
export {
  type BogusCode,
  type DnsQuery,
  parseTrustAnchors,
  ROOT_ANCHORS,
  type TrustAnchor,
  TrustAnchorError,
  type VerifySignature,
} from '@holdfast/protocols/dnssec'
export type { NameProblem, NameVerdict } from '@holdfast/protocols/name-proof'
export {
  decodePsbtProof,
  encodePsbtProof,
  isPsbtProof,
  PSBT_OUT_DNSSEC_PROOF,
  type PsbtProof,
  PsbtProofError,
} from '@holdfast/protocols/psbt-proof'
export { MAX_EXPIRY_GRACE_SECONDS, type ValidityWindow } from '@holdfast/protocols/rfc9102'
export { dohQuery } from './doh-query.ts'
export { type Resolved, type ResolveNameOptions, resolveName } from './resolve-name.ts'
export { type Verified, type VerifyOptions, verifyNameProof, verifyPsbtProof } from './verify.ts'
