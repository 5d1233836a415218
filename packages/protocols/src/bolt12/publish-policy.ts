import type { Hex } from '../hex.ts'
import { type Offer, offerChains } from './offer.ts'

export type PublishPolicy = {
  /** Milliseconds since 1970. */
  readonly now: number
  /** Our chain. */
  readonly chainHash: Hex
  /** How long an offer must still be good for: the DNS record has to expire before the offer does (BIP-353). */
  readonly marginMs: number
  /** Of the canonical text, in characters. */
  readonly maxLength: number
  /** The payee's node is not in the public graph: payers need blinded paths to it. */
  readonly nodeIsUnannounced?: boolean
  /** The node answers only one request for this offer. */
  readonly singleUse?: boolean
}

export type PublishProblem =
  | 'foreign-chain'
  | 'expires-too-soon'
  | 'priced-in-currency'
  | 'amount-above-supply'
  | 'too-long'
  | 'needs-paths'
  | 'single-use'

/** 21 million bitcoin in millisatoshi. */
const SUPPLY_MSAT = 21_000_000n * 100_000_000n * 1000n

/**
 * Holdfast's own policy on top of BOLT 12: what else must hold before an offer is published under a name. Empty when
 * it may be published. That the offer comes from the owner's own node is for the caller to see to: blinded offers do
 * not tell.
 */
export function checkPublishable(offer: Offer, policy: PublishPolicy): PublishProblem[] {
  const problems: PublishProblem[] = []
  if (!offerChains(offer).includes(policy.chainHash)) problems.push('foreign-chain')
  const expiry = offer.absoluteExpirySeconds
  if (expiry !== undefined && expiry * 1000n <= BigInt(Math.ceil(policy.now + policy.marginMs))) {
    problems.push('expires-too-soon')
  }
  if (offer.amount !== undefined) {
    if ('currency' in offer.amount) problems.push('priced-in-currency')
    else if (offer.amount.msat > SUPPLY_MSAT) problems.push('amount-above-supply')
  }
  if (offer.text.length > policy.maxLength) problems.push('too-long')
  if (policy.nodeIsUnannounced === true && offer.paths === undefined) problems.push('needs-paths')
  if (policy.singleUse === true) problems.push('single-use')
  return problems
}
