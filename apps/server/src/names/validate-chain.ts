import { isRefusal, type Refusal } from '@holdfast/core'
import type { NameState } from '@holdfast/core/names/name-states'
import { recordValue } from '@holdfast/protocols/bip353'
import { type Failed, unavailable, unavailableBecause } from './effect-outcome.ts'

/** Resolves `user@domain` without any cache and validates from the root's anchor down. */
export type ResolveFresh = (name: string) => Promise<{ readonly uri: string } | Refusal>

/** The name must resolve as a stranger would resolve it, to exactly what we published. */
export async function validateChain(
  resolveFresh: ResolveFresh,
  { user, domain }: NameState,
  offer: string,
): Promise<'done' | Failed> {
  const resolved = await resolveFresh(`${user}@${domain}`)
  if (isRefusal(resolved)) return unavailableBecause(resolved)
  return resolved.uri === recordValue(offer) ? 'done' : unavailable('RECORD_OCCUPIED')
}
