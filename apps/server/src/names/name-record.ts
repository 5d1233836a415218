import type { DnsZone, TxtRecord } from '@holdfast/core/dns-zone'
import { DnsZoneError } from '@holdfast/core/dns-zone'
import { RECORD_TTL_MS } from '@holdfast/core/names/name-delays'
import { recordName, recordValue } from '@holdfast/protocols/bip353'
import { within } from '../platform/within.ts'

export const ZONE_TIMEOUT_MS = 10_000

export function recordOf(name: { user: string; domain: string }, offer: string): TxtRecord {
  return { name: recordName(name), value: recordValue(offer), ttlSeconds: RECORD_TTL_MS / 1000 }
}

/** Publishes the record in the place of any of these values; throws `conflict` when another one stands there. */
export async function publishOver(
  zone: DnsZone,
  record: TxtRecord,
  replaced: readonly string[],
): Promise<void> {
  const [first, ...others] = replaced
  const options = first === undefined ? {} : { replaces: first }
  try {
    await within(ZONE_TIMEOUT_MS, zone.publish(record, options))
  } catch (error) {
    if (!isConflict(error) || others.length === 0) throw error
    await publishOver(zone, record, others)
  }
}

/** Something else stands at the name. */
export function isConflict(error: unknown): boolean {
  return error instanceof DnsZoneError && error.code === 'conflict'
}
