import { type Refusal, refuse } from '@holdfast/core'
import type { ReadyOffer } from '@holdfast/core/names/name-states'
import type { Network } from '@holdfast/lightning'
import {
  Bolt12Error,
  checkPublishable,
  type Offer,
  type PublishProblem,
  parseOffer,
} from '@holdfast/protocols/bolt12'
import { chainHashOf } from '@holdfast/protocols/network'

/** An offer that ends sooner would take the name with it too soon. */
const MARGIN_MS = 30 * 24 * 3_600_000
/** Keeps the answer with its signatures well below what resolvers fetch in one UDP packet or one quick TCP turn. */
const MAX_OFFER_LENGTH = 1_500

/** BOLT 12's rules for readers, and ours for what may stand in the DNS under a name. */
export function checkOffer(text: string, context: { network: Network; now: number }): ReadyOffer | Refusal {
  let offer: Offer
  try {
    offer = parseOffer(text)
  } catch (error) {
    if (error instanceof Bolt12Error) return refuse('OFFER_INVALID', { rule: error.code })
    throw error
  }
  const [problem] = checkPublishable(offer, {
    now: context.now,
    chainHash: chainHashOf(context.network),
    marginMs: MARGIN_MS,
    maxLength: MAX_OFFER_LENGTH,
  })
  if (problem !== undefined) return refusalOf(problem, offer, context.now)
  // BOLT 12: such an offer needs `invreq_quantity`, which a payer of a name has no way to choose.
  if (offer.quantityMax !== undefined) return refuse('OFFER_UNSUPPORTED', { rule: 'quantity' })
  const expiresAt = expiryOf(offer)
  return { offer: offer.text, ...(expiresAt !== null && { expiresAt }) }
}

function refusalOf(problem: PublishProblem, offer: Offer, now: number): Refusal {
  switch (problem) {
    case 'foreign-chain':
      return refuse('OFFER_FOREIGN_CHAIN')
    case 'expires-too-soon':
      return refuse((expiryOf(offer) ?? 0) <= now ? 'OFFER_EXPIRED' : 'OFFER_EXPIRES_SOON')
    case 'too-long':
      return refuse('OFFER_TOO_LONG', { length: offer.text.length, max: MAX_OFFER_LENGTH })
    case 'amount-above-supply':
    case 'priced-in-currency':
    case 'needs-paths':
    case 'single-use':
      return refuse('OFFER_UNSUPPORTED', { rule: problem })
  }
}

/** Null: never, or later than the clock of a computer can say (8.64e15 ms is the last moment of a JavaScript date). */
function expiryOf(offer: Offer): number | null {
  const seconds = offer.absoluteExpirySeconds
  return seconds === undefined || seconds > 8_640_000_000_000n ? null : Number(seconds) * 1000
}
