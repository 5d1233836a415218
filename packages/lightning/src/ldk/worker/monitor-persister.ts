import {
  type ChainMonitor,
  ChannelMonitorUpdateStatus,
  type OutPoint as LdkOutPoint,
  OutPoint,
  Persist,
} from 'lightningdevkit'
import { displayHash } from './bytes.ts'
import { isNull } from './channels.ts'
import type { Guard } from './guard.ts'
import type { Store } from './store.ts'

type Collected = { txid: Uint8Array; index: number; bytes: Uint8Array; updateIds: bigint[] }

/**
 * Answers LDK "in progress" and collects the monitors; they are written with the turn's commit, and only then is LDK
 * told that they are durable, upon which it releases the messages that depend on them.
 */
export class MonitorPersister {
  readonly persist: Persist
  readonly #store: Store
  /** While the node is being loaded the monitors are already on disk. */
  loading = true
  #collected = new Map<string, Collected>()

  constructor(store: Store, guard: Guard) {
    this.#store = store
    const failed = () => ChannelMonitorUpdateStatus.LDKChannelMonitorUpdateStatus_InProgress
    this.persist = Persist.new_impl({
      persist_new_channel: guard.wrap(
        (outpoint, monitor) => this.#collect(outpoint, monitor.write(), monitor.get_latest_update_id()),
        failed,
      ),
      update_persisted_channel: guard.wrap(
        // The update is null when only the chain moved; LDK then waits for no confirmation of ours.
        (outpoint, update, monitor) =>
          this.#collect(outpoint, monitor.write(), isNull(update) ? null : update.get_update_id()),
        failed,
      ),
      archive_persisted_channel: guard.wrap(
        (outpoint) => {
          this.#collected.delete(keyOf(outpoint))
          this.#store.run('UPDATE monitors SET archived = 1 WHERE outpoint = ?', keyOf(outpoint))
        },
        () => undefined,
      ),
    })
  }

  get dirty(): boolean {
    return this.#collected.size > 0
  }

  /** Writes into the turn's transaction; answers what to tell LDK once that is committed. */
  write(): (monitor: ChainMonitor) => void {
    const written = this.#collected
    this.#collected = new Map()
    for (const [key, { bytes }] of written)
      this.#store.run(
        'INSERT INTO monitors (outpoint, bytes) VALUES (?, ?) ON CONFLICT (outpoint) DO UPDATE SET bytes = excluded.bytes',
        key,
        bytes,
      )
    return (chainMonitor) => {
      for (const { txid, index, updateIds } of written.values())
        for (const id of updateIds)
          chainMonitor.channel_monitor_updated(OutPoint.constructor_new(txid, index), id)
    }
  }

  #collect(outpoint: LdkOutPoint, bytes: Uint8Array, updateId: bigint | null): ChannelMonitorUpdateStatus {
    if (this.loading) return ChannelMonitorUpdateStatus.LDKChannelMonitorUpdateStatus_Completed
    const key = keyOf(outpoint)
    const collected = this.#collected.get(key)
    const updateIds = collected?.updateIds ?? []
    if (updateId !== null) updateIds.push(updateId)
    this.#collected.set(key, { txid: outpoint.get_txid(), index: outpoint.get_index(), bytes, updateIds })
    return ChannelMonitorUpdateStatus.LDKChannelMonitorUpdateStatus_InProgress
  }
}

function keyOf(outpoint: LdkOutPoint): string {
  return `${displayHash(outpoint.get_txid())}:${outpoint.get_index()}`
}
