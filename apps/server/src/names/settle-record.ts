import { type DnsZone, DnsZoneError, type TxtRecord } from '@holdfast/core/dns-zone'
import type { EffectSubject } from '@holdfast/core/names/name-commands'
import type { NameState } from '@holdfast/core/names/name-states'
import type { OpenDatabase } from '../platform/database.ts'
import { within } from '../platform/within.ts'
import { type Failed, failureOfZone } from './effect-outcome.ts'
import { isConflict, publishOver, recordOf, ZONE_TIMEOUT_MS } from './name-record.ts'
import { findClaim } from './name-store.ts'

type World = { zone: DnsZone; database: Pick<OpenDatabase, 'db'> }
type Wish = Pick<Extract<EffectSubject, { kind: 'settle-record' }>, 'wanted' | 'unwanted' | 'strays'>

/**
 * Makes the zone agree with the name's state. It changes this registration's records and nobody else's: not one that
 * the operator placed there by hand (unless the watcher found it in the place of a live one), and, once the name is
 * free, not one of the next claimant.
 */
export async function settleRecord(
  { zone, database }: World,
  state: NameState,
  { wanted, unwanted, strays = [] }: Wish,
): Promise<'done' | Failed> {
  try {
    if (wanted !== null) {
      const former = unwanted.map((offer) => recordOf(state, offer))
      const record = recordOf(state, wanted)
      try {
        await publishOver(zone, record, [...former.map(({ value }) => value), ...strays])
      } catch (error) {
        if (!isConflict(error) || former.length === 0) throw error
        // One of ours may stand beside the record that is wanted: then none takes the other's place.
        for (const each of former) await withdraw(zone, each)
        await publishOver(zone, record, strays)
      }
      return 'done'
    }
    const used = state.phase === 'freed' ? await offersOfNextClaim(database, state) : []
    const records = unwanted.filter((offer) => !used.includes(offer)).map((offer) => recordOf(state, offer))
    for (const record of records) await withdraw(zone, record)
    return 'done'
  } catch (error) {
    return failureOfZone(error)
  }
}

/** The next claimant may have brought the very offer whose record is to be withdrawn here. */
async function offersOfNextClaim({ db }: World['database'], state: NameState): Promise<string[]> {
  const claim = await findClaim(db, state)
  if (claim === null) return []
  const offers = 'live' in claim && claim.live ? [claim.live.offer] : []
  if ('next' in claim && 'offer' in claim.next) offers.push(claim.next.offer)
  return offers
}

async function withdraw(zone: DnsZone, record: TxtRecord): Promise<void> {
  try {
    await within(ZONE_TIMEOUT_MS, zone.withdraw(record))
  } catch (error) {
    if (!isRefused(error) || !(await isNowhere(zone, record))) throw error
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof DnsZoneError && (error.code === 'not-authorized' || error.code === 'not-this-zone')
}

/** We cannot change the zone; when every server shows that ours is not there, nothing is left to do. */
async function isNowhere(zone: DnsZone, { name, value }: TxtRecord): Promise<boolean> {
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
