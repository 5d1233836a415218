import { randomBytes } from 'node:crypto'
import type { DnsZone, TxtRecord } from '@holdfast/core/dns-zone'
import { DnsZoneError } from '@holdfast/core/dns-zone'
import { WILDCARD } from '@holdfast/core/names/name'
import { RECORD_TTL_MS } from '@holdfast/core/names/name-delays'
import { recordName, recordValue } from '@holdfast/protocols/bip353'
import { within } from '../platform/within.ts'

export const ZONE_TIMEOUT_MS = 10_000

export function recordOf(name: { user: string; domain: string }, offer: string): TxtRecord {
  return { name: recordName(name), value: recordValue(offer), ttlSeconds: RECORD_TTL_MS / 1000 }
}

/**
 * By which name others find the record. For a wildcard one that nobody asked for before: no resolver remembers that it
 * was not there, and the answer shows that the wildcard works (RFC 4592).
 */
export function nameToAsk({ user, domain }: { user: string; domain: string }) {
  return { user: user === WILDCARD ? `any-${randomBytes(8).toString('hex')}` : user, domain }
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
