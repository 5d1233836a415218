import type { ChannelManager } from 'lightningdevkit'
import type { Hex, Network } from '../../ports.ts'
import type { Log } from '../types.ts'
import type { EventData } from './node-events.ts'
import type { Store } from './store.ts'

/** What the parts of a node share. Everything here is used inside a turn, on the host's thread. */
export type NodeContext = {
  readonly store: Store
  readonly manager: ChannelManager
  readonly log: Log
  readonly network: Network
  readonly nodeId: Hex
  readonly now: () => number
  readonly height: () => number
  /** Writes an event with the turn's commit. */
  readonly record: (event: EventData) => void
}
