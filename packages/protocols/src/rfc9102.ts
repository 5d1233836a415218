/**
 * Proofs of TXT records that anybody can verify offline: RFC 9102 authentication chains, as BIP-353 uses them. Runs in
 * browsers and on servers.
 */
export { MAX_EXPIRY_GRACE_SECONDS } from './dnssec/session.ts'
export { MAX_CHAIN_BYTES } from './rfc9102/authentication-chain.ts'
export { type BuiltProof, buildProof } from './rfc9102/build-proof.ts'
export { type Proof, proveResolution } from './rfc9102/prove-resolution.ts'
export type { ValidityWindow } from './rfc9102/validity-window.ts'
export {
  type ProofVerification,
  type VerifyProofOptions,
  verifyProof,
} from './rfc9102/verify-proof.ts'
