import { type ChannelMonitor, ChannelMonitorUpdateStatus, type OutPoint, Persist } from 'lightningdevkit'
import { displayHash } from './bytes.ts'
import type { Guard } from './guard.ts'
import type { Store } from './store.ts'

/**
 * Collects the monitors of a turn, to be written with its commit, and tells LDK at once that they are durable. That is
 * true for everybody outside: nothing that LDK does upon it leaves the process before the commit (`turn.ts`).
 *
 * Answering "in progress" and confirming after the commit would also be allowed, but LDK 0.1 cannot read back a
 * manager that was written while a claim was in progress and whose monitor has the preimage already ("Entry was added
 * in begin_claiming_payment"): a crash there would lock the node out for ever.
 */
export class MonitorPersister {
  readonly persist: Persist
  readonly #store: Store
  /** While the node is being loaded the monitors are already on disk. */
  loading = true
  #collected = new Map<string, Uint8Array>()

  constructor(store: Store, guard: Guard) {
    this.#store = store
    const failed = () => ChannelMonitorUpdateStatus.LDKChannelMonitorUpdateStatus_InProgress
    this.persist = Persist.new_impl({
      persist_new_channel: guard.wrap((outpoint, monitor) => this.#collect(outpoint, monitor), failed),
      // The update is null when only the chain moved; the whole monitor is written either way.
      update_persisted_channel: guard.wrap(
        (outpoint, _, monitor) => this.#collect(outpoint, monitor),
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

  /** Writes into the turn's transaction. */
  write(): void {
    for (const [key, bytes] of this.#collected)
      this.#store.run(
        'INSERT INTO monitors (outpoint, bytes) VALUES (?, ?) ON CONFLICT (outpoint) DO UPDATE SET bytes = excluded.bytes',
        key,
        bytes,
      )
    this.#collected.clear()
  }

  #collect(outpoint: OutPoint, monitor: ChannelMonitor): ChannelMonitorUpdateStatus {
    if (!this.loading) this.#collected.set(keyOf(outpoint), monitor.write())
    return ChannelMonitorUpdateStatus.LDKChannelMonitorUpdateStatus_Completed
  }
}

function keyOf(outpoint: OutPoint): string {
  return `${displayHash(outpoint.get_txid())}:${outpoint.get_index()}`
}
