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
}

/**
 * Lets LDK work until it has nothing more to say, and commits all of that at once. LDK is told during its work that
 * monitors are durable; nobody else can see that they are not yet (`turn-loop.ts`).
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

  /** Answers whether there was anything to commit. */
  settle(): boolean {
    const { store, guard, manager, persister } = this.#parts
    this.#work()
    persister.write()
    const managerChanged = Boolean(manager.get_and_clear_needs_persistence())
    if (managerChanged || this.#saveManager || store.dirty)
      store.run(
        'INSERT INTO manager VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET bytes = excluded.bytes',
        manager.write(),
      )
    this.#saveManager = false
    guard.check()
    return store.commit()
  }

  #work(): void {
    const { guard, manager, peerManager, eventHandler } = this.#parts
    do {
      this.#heard = false
      peerManager.process_events()
      for (const events of this.#eventSources) events.process_pending_events(eventHandler)
      guard.check()
      if (this.#forwards) {
        this.#forwards = false
        this.#heard = true
        manager.process_pending_htlc_forwards()
      }
    } while (this.#heard)
  }
}
