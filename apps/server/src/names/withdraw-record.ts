import { type DnsZone, DnsZoneError } from '@holdfast/core/dns-zone'
import type { NameState, ReadyOffer } from '@holdfast/core/names/name-states'
import { recordName, recordValue } from '@holdfast/protocols/bip353'
import type { OpenDatabase } from '../platform/database.ts'
import { within } from '../platform/within.ts'
import { type Failed, failureOfZone } from './effect-outcome.ts'
import { findClaim } from './name-store.ts'

const ZONE_TIMEOUT_MS = 10_000

/**
 * Withdraws this registration's record and nobody else's: not one that the operator placed there by hand, and, once
 * the name is free, not one of the next claimant, not even when that one carries the same offer.
 */
export async function withdrawRecord(
  { zone, database }: { zone: DnsZone; database: Pick<OpenDatabase, 'db'> },
  state: NameState,
  { offer }: ReadyOffer,
): Promise<'done' | Failed> {
  const record = { name: recordName(state), value: recordValue(offer) }
  const claim = await findClaim(database.db, state.user, state.domain)
  if (claim !== null && claim.id !== state.id && 'offer' in claim && claim.offer?.offer === offer)
    return 'done'
  try {
    await within(ZONE_TIMEOUT_MS, zone.withdraw(record))
    return 'done'
  } catch (error) {
    if (isRefused(error) && (await isNowhere(zone, record))) return 'done'
    return failureOfZone(error)
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof DnsZoneError && (error.code === 'not-authorized' || error.code === 'not-this-zone')
}

/** We cannot change the zone; when every server shows that ours is not there, nothing is left to do. */
async function isNowhere(zone: DnsZone, { name, value }: { name: string; value: string }): Promise<boolean> {
  try {
    const answers = await within(ZONE_TIMEOUT_MS, zone.authoritative(name))
    return (
      answers.length > 0 && answers.every((answer) => 'values' in answer && !answer.values.includes(value))
    )
  } catch (error) {
    failureOfZone(error)
    return false
  }
}
