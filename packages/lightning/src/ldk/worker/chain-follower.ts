import { type ChannelMonitor, type Listen, type Logger, TwoTuple_usizeTransactionZ } from 'lightningdevkit'
import type { Assembly } from './assembly.ts'
import type { BitcoinRpc, Header } from './bitcoin-rpc.ts'
import { displayHash } from './bytes.ts'
import { type ConnectedBlock, chainPath, withBlock } from './chain-path.ts'

/** Whoever keeps something that depends on blocks. */
type BlockKeeper = {
  blockConnected(block: ConnectedBlock): void
  blockDisconnected?(header: Header): void
}

export type ChainFollowerParts = {
  assembly: Assembly
  rpc: BitcoinRpc
  logger: Logger
  /** In this order, after LDK's own. */
  keepers: readonly BlockKeeper[]
  /** The next commit writes the manager, which now stands on another block. */
  saveManager: () => void
  /** Runs these, one after the other, in one turn. */
  inTurn: (jobs: readonly (() => void)[]) => void
  hasEnded: () => boolean
}

/** Brings a node from the block it stands on to another, forward or over a reorganisation, in turns. */
export class ChainFollower {
  readonly #parts: ChainFollowerParts
  readonly #listeners: readonly Listen[]
  #following: Promise<void> = Promise.resolve()

  constructor(parts: ChainFollowerParts) {
    this.#parts = parts
    const { manager, chainMonitor } = parts.assembly
    this.#listeners = [chainMonitor.as_Listen(), manager.as_Listen()]
  }

  /** Each monitor to the manager's block: LDK writes one with only some blocks, so on disk it may stand behind. */
  async bringUpMonitors(): Promise<void> {
    const { chainMonitor, monitors } = this.#parts.assembly
    for (const monitor of monitors) {
      await this.#bringUp(monitor)
      chainMonitor.as_Watch().watch_channel(monitor.get_funding_txo().get_a(), monitor)
    }
  }

  /** Resolves when the node stands on `tipHash`; calls queue up behind one another. */
  follow(tipHash: string): Promise<void> {
    const next = this.#following.then(() => this.#followTo(tipHash))
    this.#following = next.catch(() => undefined)
    return next
  }

  /** Resolves when nothing is being followed any more. */
  idle(): Promise<void> {
    return this.#following
  }

  #standsOn(): string {
    return displayHash(this.#parts.assembly.manager.current_best_block().get_block_hash())
  }

  async #bringUp(monitor: ChannelMonitor): Promise<void> {
    const { rpc, logger } = this.#parts
    const { broadcaster, feeEstimator } = this.#parts.assembly
    const from = displayHash(monitor.current_best_block().get_block_hash())
    const path = await chainPath(rpc, from, this.#standsOn())
    for (const header of path.disconnect)
      monitor.block_disconnected(header.raw, header.height, broadcaster, feeEstimator, logger)
    for (const header of path.connect) {
      const { transactions } = await withBlock(rpc, header)
      const numbered = transactions.map((transaction, i) =>
        TwoTuple_usizeTransactionZ.constructor_new(i, transaction.raw),
      )
      monitor.block_connected(header.raw, numbered, header.height, broadcaster, feeEstimator, logger)
    }
  }

  async #followTo(tipHash: string): Promise<void> {
    const { rpc, inTurn, hasEnded } = this.#parts
    const best = this.#standsOn()
    if (best === tipHash) return
    const path = await chainPath(rpc, best, tipHash)
    // Fetched before anything is disconnected: in between, the node would stand on a block that is not the best.
    const first = path.connect[0] ? await withBlock(rpc, path.connect[0]) : null
    if (hasEnded()) return
    inTurn([
      () => {
        for (const header of path.disconnect) this.#disconnect(header)
      },
      () => {
        if (first) this.#connect(first)
      },
    ])
    for (const header of path.connect.slice(1)) {
      const block = await withBlock(rpc, header)
      if (hasEnded()) return
      inTurn([() => this.#connect(block)])
    }
  }

  #connect(block: ConnectedBlock): void {
    for (const listener of this.#listeners) listener.block_connected(block.bytes, block.height)
    for (const keeper of this.#parts.keepers) keeper.blockConnected(block)
    this.#parts.saveManager()
  }

  #disconnect(header: Header): void {
    for (const listener of this.#listeners) listener.block_disconnected(header.raw, header.height)
    for (const keeper of this.#parts.keepers) keeper.blockDisconnected?.(header)
    this.#parts.saveManager()
  }
}
