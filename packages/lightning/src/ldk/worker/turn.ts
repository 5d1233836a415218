import type {
  ChainMonitor,
  ChannelManager,
  EventHandler,
  EventsProvider,
  OnionMessenger,
  PeerManager,
} from 'lightningdevkit'
import type { Guard } from './guard.ts'
import type { MonitorPersister } from './monitor-persister.ts'
import type { Store } from './store.ts'

export type TurnParts = {
  store: Store
  guard: Guard
  manager: ChannelManager
  chainMonitor: ChainMonitor
  peerManager: PeerManager
  onionMessenger: OnionMessenger
  eventHandler: EventHandler
  persister: MonitorPersister
  /** Lets out what the committed turn left: socket writes, transactions, events. */
  flush: () => void
}

/**
 * Runs LDK until it is quiet. Each round: let it work, collect its events and monitors, commit everything with one
 * fsync, let the messages out, tell LDK that the monitors are durable (upon which it goes on).
 */
export class Turn {
  readonly #parts: TurnParts
  readonly #eventSources: EventsProvider[]
  #forwards = false
  #heard = false
  #saveManager = false

  constructor(parts: TurnParts) {
    this.#parts = parts
    const { manager, chainMonitor, onionMessenger } = parts
    this.#eventSources = [manager, chainMonitor, onionMessenger].map((source) => source.as_EventsProvider())
  }

  /** HTLCs wait to be forwarded or received. */
  forwardSoon(): void {
    this.#forwards = true
  }

  /** An event was handled, so LDK may have more to do. */
  heard(): void {
    this.#heard = true
  }

  /** The next commit writes the manager even if LDK does not ask for it. */
  saveManager(): void {
    this.#saveManager = true
  }

  settle(): void {
    const { store, guard, manager, chainMonitor, peerManager, eventHandler, persister } = this.#parts
    for (let more = true; more; ) {
      this.#heard = false
      peerManager.process_events()
      for (const events of this.#eventSources) events.process_pending_events(eventHandler)
      guard.check()
      more = this.#heard
      if (this.#forwards) {
        this.#forwards = false
        manager.process_pending_htlc_forwards()
        more = true
      }
      const tellDurable = persister.dirty ? persister.write() : null
      const managerChanged = Boolean(manager.get_and_clear_needs_persistence())
      if (tellDurable || managerChanged || this.#saveManager || store.dirty)
        store.run(
          'INSERT INTO manager VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET bytes = excluded.bytes',
          manager.write(),
        )
      this.#saveManager = false
      guard.check()
      store.commit()
      this.#parts.flush()
      if (tellDurable) {
        tellDurable(chainMonitor)
        more = true
      }
    }
  }
}
