import {
  type ChannelMonitor,
  type ChannelMonitorUpdate,
  ChannelMonitorUpdateStatus,
  type OutPoint,
  Persist,
} from 'lightningdevkit'
import { displayHash, toHex } from './bytes.ts'
import { isNull } from './channels.ts'
import type { Guard } from './guard.ts'
import type { Store } from './store.ts'

/** Bytes of a monitor on disk, and of what has changed in it since. */
type Weights = { readonly whole: number; readonly updates: number }

/**
 * Collects what a turn changes in monitors, to be written with its commit, and tells LDK at once that it is durable.
 * That is true for everybody outside: nothing that LDK does upon it leaves the process before the commit is on the
 * disk (`turn-loop.ts`).
 *
 * A monitor remembers every commitment that its channel ever had, so it is written whole only when the updates since
 * weigh as much as it does; `read-monitors.ts` puts both together again.
 *
 * Answering "in progress" and confirming after the commit would also be allowed, but LDK 0.1 cannot read back a
 * manager that was written while a claim was in progress and whose monitor has the preimage already ("Entry was added
 * in begin_claiming_payment"): a crash there would lock the node out for ever.
 */
export class MonitorPersister {
  readonly persist: Persist
  readonly #store: Store
  readonly #weights: Map<string, Weights>
  readonly #heard: (write: () => Uint8Array, channelOf: () => string) => void
  /** While the node is being loaded the monitors are already on disk. */
  loading = true
  #wholes = new Map<string, Uint8Array>()
  #updates: { readonly key: string; readonly id: bigint; readonly bytes: Uint8Array }[] = []

  /** `heard` is told of each update; what it asks for is the same bytes that are kept. */
  constructor(store: Store, guard: Guard, heard: (write: () => Uint8Array, channelOf: () => string) => void) {
    this.#store = store
    this.#heard = heard
    this.#weights = weightsOnDisk(store)
    const failed = () => ChannelMonitorUpdateStatus.LDKChannelMonitorUpdateStatus_InProgress
    this.persist = Persist.new_impl({
      persist_new_channel: guard.wrap((outpoint, monitor) => this.#collect(outpoint, null, monitor), failed),
      // The update is null when the chain moved, and when it could not be applied: only the whole monitor says then
      // how things are.
      update_persisted_channel: guard.wrap(
        (outpoint, update, monitor) => this.#collect(outpoint, isNull(update) ? null : update, monitor),
        failed,
      ),
      archive_persisted_channel: guard.wrap(
        (outpoint) => {
          this.write()
          this.#store.run('UPDATE monitors SET archived = 1 WHERE outpoint = ?', keyOf(outpoint))
        },
        () => undefined,
      ),
    })
  }

  /** Writes into the turn's transaction. */
  write(): void {
    for (const [key, bytes] of this.#wholes) {
      this.#store.run(
        'INSERT INTO monitors (outpoint, bytes) VALUES (?, ?) ON CONFLICT (outpoint) DO UPDATE SET bytes = excluded.bytes',
        key,
        bytes,
      )
      this.#store.run('DELETE FROM monitor_updates WHERE outpoint = ?', key)
    }
    for (const { key, id, bytes } of this.#updates)
      this.#store.run('INSERT INTO monitor_updates (outpoint, id, bytes) VALUES (?, ?, ?)', key, id, bytes)
    this.#wholes.clear()
    this.#updates = []
  }

  #collect(
    outpoint: OutPoint,
    update: ChannelMonitorUpdate | null,
    monitor: ChannelMonitor,
  ): ChannelMonitorUpdateStatus {
    if (!this.loading) {
      const key = keyOf(outpoint)
      const before = this.#weights.get(key)
      let bytes: Uint8Array | null = null
      const write = (of: ChannelMonitorUpdate) => {
        bytes ??= of.write()
        return bytes
      }
      if (update !== null)
        this.#heard(
          () => write(update),
          () => toHex(update.get_channel_id().get_a()),
        )
      if (update === null || before === undefined || before.updates >= before.whole)
        this.#collectWhole(key, monitor.write())
      else this.#collectUpdate(key, before, { id: update.get_update_id(), bytes: write(update) })
    }
    return ChannelMonitorUpdateStatus.LDKChannelMonitorUpdateStatus_Completed
  }

  #collectWhole(key: string, bytes: Uint8Array): void {
    this.#updates = this.#updates.filter((one) => one.key !== key)
    this.#wholes.set(key, bytes)
    this.#weights.set(key, { whole: bytes.length, updates: 0 })
  }

  #collectUpdate(key: string, before: Weights, update: { id: bigint; bytes: Uint8Array }): void {
    this.#updates.push({ key, ...update })
    this.#weights.set(key, { ...before, updates: before.updates + update.bytes.length })
  }
}

function weightsOnDisk(store: Store): Map<string, Weights> {
  const rows = store.all<{ outpoint: string } & Weights>(
    `SELECT outpoint, length(bytes) AS whole,
       (SELECT ifnull(sum(length(bytes)), 0) FROM monitor_updates AS one WHERE one.outpoint = monitors.outpoint) AS updates
     FROM monitors WHERE archived = 0`,
  )
  return new Map(rows.map(({ outpoint, whole, updates }) => [outpoint, { whole, updates }]))
}

function keyOf(outpoint: OutPoint): string {
  return `${displayHash(outpoint.get_txid())}:${outpoint.get_index()}`
}
