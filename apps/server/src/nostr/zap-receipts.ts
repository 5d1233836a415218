import type { EventTemplate } from '@holdfast/protocols/nip01'
import { finalizeEvent, getPublicKey } from 'nostr-tools/pure'
import type { ZapReceipts } from '../lightning-address/zaps.ts'
import type { Config } from '../platform/config.ts'
import type { Secret } from '../platform/secret.ts'
import { keptServerKey } from './kept-server-key.ts'
import type { RelayPool } from './relay-pool.ts'

/**
 * Null: no key was given, and one of this data folder would not be that of the other servers on the same database, which
 * may publish the receipt of a zap that this one has promised.
 */
export async function zapKey({
  nostrKey,
  databaseUrl,
  dataDir,
}: Pick<Config, 'nostrKey' | 'databaseUrl' | 'dataDir'>): Promise<Secret<string> | null> {
  return nostrKey ?? (databaseUrl === null ? keptServerKey(dataDir) : null)
}

/** Signs zap receipts (NIP-57, Appendix E) with the server's own key and brings them to the relays that were named. */
export function makeZapReceipts({ key, relays }: { key: Secret<string>; relays: RelayPool }): ZapReceipts {
  const secret = () => Buffer.from(key.reveal(), 'hex')
  return {
    pubkey: getPublicKey(secret()),
    publish: ({ tags, ...template }: EventTemplate, to) =>
      relays.publish(finalizeEvent({ ...template, tags: tags.map((tag) => [...tag]) }, secret()), to),
  }
}
