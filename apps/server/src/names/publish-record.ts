import type { DnsZone } from '@holdfast/core/dns-zone'
import type { NameState, ReadyOffer } from '@holdfast/core/names/name-states'
import { recordName, recordValue } from '@holdfast/protocols/bip353'
import { within } from '../platform/within.ts'
import { type Failed, failureOfZone } from './effect-outcome.ts'
import { RECORD_TTL_SECONDS } from './name-record.ts'

const ZONE_TIMEOUT_MS = 10_000

export async function publishRecord(
  zone: DnsZone,
  state: NameState,
  { offer }: ReadyOffer,
): Promise<'done' | Failed> {
  try {
    await within(
      ZONE_TIMEOUT_MS,
      zone.publish({ name: recordName(state), value: recordValue(offer), ttlSeconds: RECORD_TTL_SECONDS }),
    )
    return 'done'
  } catch (error) {
    return failureOfZone(error)
  }
}
