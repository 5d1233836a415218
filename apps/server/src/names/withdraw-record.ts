import { type DnsZone, DnsZoneError } from '@holdfast/core/dns-zone'
import type { NameState, ReadyOffer } from '@holdfast/core/names/name-states'
import { recordName, recordValue } from '@holdfast/protocols/bip353'
import type { OpenDatabase } from '../platform/database.ts'
import { within } from '../platform/within.ts'
import { type Failed, failureOfZone, unavailable } from './effect-outcome.ts'
import { findClaim } from './name-store.ts'

const ZONE_TIMEOUT_MS = 10_000

/**
 * Withdraws this registration's record and nobody else's: not one that the operator placed there by hand, and, once
 * the name is free, not one of the next claimant.
 */
export async function withdrawRecord(
  { zone, database }: { zone: DnsZone; database: Pick<OpenDatabase, 'db'> },
  state: NameState,
  { offer }: ReadyOffer,
): Promise<'done' | Failed> {
  const name = recordName(state)
  try {
    const claim = await findClaim(database.db, state.user, state.domain)
    const shown = await whatIsShown(zone, name, recordValue(offer))
    const claimedByAnother = claim !== null && claim.id !== state.id
    if (shown === 'another' || (claimedByAnother && shown === 'nothing')) return 'done'
    if (claimedByAnother && shown === 'unclear') return unavailable('DNS_UNAVAILABLE')
    await within(ZONE_TIMEOUT_MS, zone.withdraw(name))
    return 'done'
  } catch (error) {
    if (
      error instanceof DnsZoneError &&
      (error.code === 'not-authorized' || error.code === 'not-this-zone')
    ) {
      // We cannot change the zone; when every server shows that ours is not there, nothing is left to do.
      const shown = await whatIsShown(zone, name, recordValue(offer)).catch(() => 'unclear' as const)
      if (shown === 'another' || shown === 'nothing') return 'done'
    }
    return failureOfZone(error)
  }
}

async function whatIsShown(
  zone: DnsZone,
  name: string,
  ours: string,
): Promise<'ours' | 'another' | 'nothing' | 'unclear'> {
  const answers = await within(ZONE_TIMEOUT_MS, zone.authoritative(name))
  const values: string[] = []
  for (const answer of answers) {
    if ('failure' in answer) return 'unclear'
    values.push(...answer.values)
  }
  if (answers.length === 0) return 'unclear'
  if (values.includes(ours)) return 'ours'
  return values.length > 0 ? 'another' : 'nothing'
}
