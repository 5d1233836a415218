import { isRefusal, type Refusal } from '@holdfast/core'
import type { NameState } from '@holdfast/core/names/name-states'
import { recordName, recordValue } from '@holdfast/protocols/bip353'
import type { AskResolvers } from '../dns/resolvers/ask-resolvers.ts'
import { type Failed, unavailable, unavailableBecause } from './effect-outcome.ts'
import { nameToAsk } from './name-record.ts'

/** Resolves `user@domain` without any cache and validates from the root's anchor down. */
export type ResolveFresh = (name: string) => Promise<{ readonly uri: string } | Refusal>

/**
 * Enough validating resolvers of others must see the record by now, where the operator has named any. Answers how many
 * have; null when none are asked.
 */
export async function confirmByResolvers(
  askResolvers: AskResolvers,
  state: NameState,
  offer: string,
): Promise<number | null | Failed> {
  const { decision, seen, needed } = await askResolvers({
    name: recordName(nameToAsk(state)),
    value: recordValue(offer),
    previous: formerOffers(state, offer).map(recordValue),
  })
  switch (decision) {
    case 'confirmed':
      return needed === 0 ? null : seen
    case 'waiting':
      return unavailable('RECORD_NOT_CONFIRMED')
    case 'contradicted':
      return unavailable('RECORD_OCCUPIED')
  }
}

/** What our record took the place of may still be in caches. */
function formerOffers(state: NameState, offer: string): string[] {
  const live = 'live' in state && state.live !== null ? [state.live.offer] : []
  return [...live, ...(state.cleaning?.offers ?? [])].filter((former) => former !== offer)
}

/** The name must resolve as a stranger would resolve it, to exactly what we published. */
export async function validateChain(
  resolveFresh: ResolveFresh,
  state: NameState,
  offer: string,
): Promise<'done' | Failed> {
  const { user, domain } = nameToAsk(state)
  const resolved = await resolveFresh(`${user}@${domain}`)
  if (isRefusal(resolved)) return unavailableBecause(resolved)
  return resolved.uri === recordValue(offer) ? 'done' : unavailable('RECORD_OCCUPIED')
}
