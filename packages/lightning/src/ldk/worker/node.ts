import {
  type ChannelMonitor,
  EventHandler,
  KeysManager,
  type Listen,
  type Logger,
  type NetworkGraph,
  Recipient,
  Result_NoneReplayEventZ,
  Result_PublicKeyNoneZ_OK,
  TwoTuple_usizeTransactionZ,
} from 'lightningdevkit'
import { type Hex, type Network, NodeError } from '../../ports.ts'
import type { LdkNodeOptions, Log } from '../types.ts'
import { Announcer, hasBothDirections } from './announcer.ts'
import { type Assembly, assemble } from './assembly.ts'
import type { BitcoinRpc, Header } from './bitcoin-rpc.ts'
import { Broadcaster } from './broadcaster.ts'
import { displayHash, toHex } from './bytes.ts'
import { type ConnectedBlock, chainPath, withBlock } from './chain-path.ts'
import { ChannelOpener } from './channel-opener.ts'
import type { NodeContext } from './context.ts'
import type { FeeRates } from './fees.ts'
import { Guard } from './guard.ts'
import { Holds } from './holds.ts'
import { OrdinaryInvoices } from './invoices.ts'
import { handleEvent } from './ldk-events.ts'
import { MonitorPersister } from './monitor-persister.ts'
import { EventLog } from './node-events.ts'
import { Offers } from './offers.ts'
import { Payments } from './payments.ts'
import { makePeerSide } from './peer-side.ts'
import { Peers } from './peers.ts'
import { Store } from './store.ts'
import { Sweeps } from './sweeps.ts'
import { Turn } from './turn.ts'
import { makeUserConfig } from './user-config.ts'
import { Wallet } from './wallet.ts'

const TICK_MS = 1_000
const PEER_TICKS = 10
const MANAGER_TICKS = 60

export type NodeSurroundings = {
  network: Network
  rpc: BitcoinRpc
  fees: FeeRates
  graph: NetworkGraph
  logger: Logger
  log: Log
  now: () => number
  /** The WASM instance or the disk can no longer be trusted. */
  fatal: (cause: unknown) => void
}

/** One Lightning node: LDK's objects, its SQLite file, and the turns in which anything happens to them. */
export class Node {
  readonly nodeId: Hex
  readonly store: Store
  readonly context: NodeContext
  readonly events: EventLog
  readonly invoices: OrdinaryInvoices
  readonly holds: Holds
  readonly offers: Offers
  readonly payments: Payments
  readonly wallet: Wallet
  readonly sweeps: Sweeps
  readonly opener: ChannelOpener
  readonly assembly: Assembly
  readonly peers: Peers
  readonly announcer: Announcer
  readonly #around: NodeSurroundings
  readonly #turn: Turn
  readonly #guard: Guard
  readonly #persister: MonitorPersister
  readonly #broadcaster: Broadcaster
  readonly #listeners: Listen[]
  readonly #timerTick: () => void
  #jobs: (() => void)[] = []
  #scheduled = false
  #timer: NodeJS.Timeout | null = null
  #following: Promise<void> = Promise.resolve()
  #ended = false

  /** Opens or creates the node; it follows the chain to its tip before it talks to anybody. */
  static async open(options: LdkNodeOptions, around: NodeSurroundings) {
    if (options.seed.length !== 32) throw new NodeError('invalid', 'A seed has 32 bytes.')
    const tipHash = await around.rpc.bestBlockHash()
    const tip = await around.rpc.header(tipHash)
    const store = new Store(options.folder)
    try {
      const node = new Node(options, around, store, tip)
      await node.#load()
      const listening = options.listen ? await node.peers.listen(options.listen) : null
      node.announcer.listening(listening)
      node.#start()
      return { node, listening }
    } catch (cause) {
      store.close()
      throw cause
    }
  }

  private constructor(options: LdkNodeOptions, around: NodeSurroundings, store: Store, tip: Header) {
    const { network, now, log, logger, graph, fees } = around
    this.#around = around
    this.store = store
    const startedAt = now()
    // The starting time only has to differ from start to start: it salts the randomness.
    const keys = KeysManager.constructor_new(
      options.seed,
      BigInt(Math.floor(startedAt / 1000)),
      (startedAt % 1000) * 1e6,
    )
    this.nodeId = ownId(keys)
    claimIdentity(store, this.nodeId, network, options.folder)
    this.#guard = new Guard()
    this.#persister = new MonitorPersister(store, this.#guard)
    this.#broadcaster = new Broadcaster(store, around.rpc, log)
    const config = makeUserConfig(options, network)
    this.assembly = assemble(
      {
        ...{ store, keys, logger, graph, fees, network, config, now },
        guard: this.#guard,
        persister: this.#persister,
        broadcast: (raw) => this.#broadcaster.add(raw, this.height()),
        maxTotalCltv: (paymentId) => this.payments.maxTotalCltv(paymentId),
        routeFound: (paymentId, feeMsat) => this.payments.pathsChanged(paymentId, feeMsat),
      },
      tip,
    )
    const { manager, chainMonitor } = this.assembly
    this.events = new EventLog(store)
    this.context = {
      ...{ store, manager, log, network, now },
      nodeId: this.nodeId,
      height: () => this.height(),
      record: (event) => this.events.record(event, now()),
    }
    this.wallet = new Wallet(store, options.seed, network)
    this.invoices = new OrdinaryInvoices(this.context)
    this.holds = new Holds(this.context)
    this.offers = new Offers(this.context, keys.as_EntropySource(), options.seed)
    this.payments = new Payments(this.context, { keepProofs: options.keepProofs ?? false })
    this.sweeps = new Sweeps(this.context, keys, this.wallet, this.#broadcaster, fees)
    this.opener = new ChannelOpener({
      ...{ node: this.context, wallet: this.wallet, fees, config },
      acceptFrom: options.acceptInboundChannelsFrom ?? 'anyone',
      broadcast: () => this.#broadcaster.sent(),
    })
    const { peerManager, onionMessenger } = makePeerSide({
      ...{ assembly: this.assembly, keys, logger, graph, now, offers: this.offers },
      guard: this.#guard,
    })
    this.peers = new Peers(store, peerManager, log, () => this.wake())
    this.announcer = new Announcer({
      manager,
      peerManager,
      graph,
      nodeId: this.nodeId,
      alias: options.alias,
      now,
    })
    this.#listeners = [chainMonitor.as_Listen(), manager.as_Listen()]
    this.#turn = new Turn({
      ...{ store, manager, chainMonitor, peerManager, onionMessenger },
      guard: this.#guard,
      persister: this.#persister,
      eventHandler: this.#eventHandler(),
      flush: () => {
        this.peers.flush()
        this.#broadcaster.flush()
        this.events.flush()
      },
    })
    let ticks = 0
    this.#timerTick = () => {
      ticks++
      this.payments.tick()
      this.announcer.tick()
      if (ticks % PEER_TICKS === 0) peerManager.timer_tick_occurred()
      if (ticks % MANAGER_TICKS !== 0) return
      manager.timer_tick_occurred()
      chainMonitor.rebroadcast_pending_claims()
      chainMonitor.archive_fully_resolved_channel_monitors()
    }
  }

  height(): number {
    return this.assembly.manager.current_best_block().get_height()
  }

  /** Whether the shared graph has both directions of a public channel, as a route through it needs. */
  knowsChannel(shortChannelId: bigint): boolean {
    const view = this.#around.graph.read_only()
    const known = hasBothDirections(view, shortChannelId)
    view.free()
    return known
  }

  /**
   * Does something within a turn; resolves after the commit. What `act` throws is the caller's, and what it wrote
   * before stays in the turn, so it must check first and write then.
   */
  perform<Answer>(act: () => Answer | Promise<Answer>): Promise<Answer> {
    if (this.#ended) return Promise.reject(new NodeError('offline', 'The node has stopped.'))
    return new Promise((resolve, reject) => {
      this.#jobs.push(() => {
        try {
          // Promise callbacks run after this turn's synchronous end, hence after its commit.
          resolve(act())
        } catch (cause) {
          // A panic leaves the instance broken; anything else is the mistake of one call.
          if (cause instanceof WebAssembly.RuntimeError) this.#fatal(cause)
          reject(cause instanceof NodeError ? cause : new NodeError('invalid', String(cause), { cause }))
        }
      })
      this.wake()
    })
  }

  wake(): void {
    if (this.#scheduled || this.#ended) return
    this.#scheduled = true
    setImmediate(() => this.#run())
  }

  /** Follows the chain to `tipHash`; calls queue up behind one another. */
  follow(tipHash: string): Promise<void> {
    const next = this.#following.then(() => this.#followTo(tipHash))
    this.#following = next.catch(() => undefined)
    return next
  }

  async stop(): Promise<void> {
    if (this.#ended) return
    await this.#following
    this.#run()
    this.#ended = true
    if (this.#timer) clearInterval(this.#timer)
    this.events.stop()
    this.opener.stop()
    await this.peers.stop()
    this.store.close()
  }

  #run(): void {
    this.#scheduled = false
    if (this.#ended) return
    try {
      for (const job of this.#jobs.splice(0)) job()
      this.peers.read()
      this.#turn.settle()
    } catch (cause) {
      this.#fatal(cause)
    }
  }

  #fatal(cause: unknown): void {
    this.#ended = true
    this.#around.fatal(cause)
  }

  #eventHandler(): EventHandler {
    const done = () => Result_NoneReplayEventZ.constructor_ok()
    const parts = {
      node: this.context,
      invoices: this.invoices,
      holds: this.holds,
      offers: this.offers,
      payments: this.payments,
      sweeps: this.sweeps,
      wallet: this.wallet,
      opener: this.opener,
      forwardSoon: () => this.#turn.forwardSoon(),
      reach: (nodeId: string, host: string, port: number) => this.peers.reach(nodeId, host, port),
    }
    return EventHandler.new_impl({
      handle_event: this.#guard.wrap((event) => {
        this.#turn.heard()
        handleEvent(parts, event)
        return done()
      }, done),
    })
  }

  /** Monitors first to the manager's block, then both to the tip. */
  async #load(): Promise<void> {
    const { manager, chainMonitor, monitors } = this.assembly
    const best = displayHash(manager.current_best_block().get_block_hash())
    for (const monitor of monitors) {
      await this.#bringUp(monitor, best)
      chainMonitor.as_Watch().watch_channel(monitor.get_funding_txo().get_a(), monitor)
    }
    this.#guard.check()
    this.#persister.loading = false
    this.#broadcaster.sendAgain()
    this.#turn.saveManager()
    await this.#followTo(await this.#around.rpc.bestBlockHash())
    this.#run()
    this.payments.reconcile()
    this.#run()
  }

  #start(): void {
    this.peers.start()
    this.#timer = setInterval(() => {
      this.#jobs.push(this.#timerTick)
      this.wake()
    }, TICK_MS)
  }

  /** LDK writes a monitor with only some blocks, so on disk it may stand behind the manager. */
  async #bringUp(monitor: ChannelMonitor, best: string): Promise<void> {
    const { rpc, logger } = this.#around
    const { broadcaster, feeEstimator } = this.assembly
    const from = displayHash(monitor.current_best_block().get_block_hash())
    const path = await chainPath(rpc, from, best)
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
    const { rpc } = this.#around
    const best = displayHash(this.assembly.manager.current_best_block().get_block_hash())
    if (best === tipHash) return
    const path = await chainPath(rpc, best, tipHash)
    // Fetched before anything is disconnected: in between, the node would stand on a block that is not the best.
    const first = path.connect[0] ? await withBlock(rpc, path.connect[0]) : null
    if (this.#ended) return
    this.#jobs.push(() => {
      for (const header of path.disconnect) this.#disconnect(header)
    })
    if (first) this.#jobs.push(() => this.#connect(first))
    this.#run()
    for (const header of path.connect.slice(1)) {
      const block = await withBlock(rpc, header)
      if (this.#ended) return
      this.#jobs.push(() => this.#connect(block))
      this.#run()
    }
  }

  #connect(block: ConnectedBlock): void {
    for (const listener of this.#listeners) listener.block_connected(block.bytes, block.height)
    this.wallet.blockConnected(block)
    this.#broadcaster.blockConnected(block)
    this.sweeps.blockConnected(block)
    this.holds.blockConnected(block.height)
    this.#turn.saveManager()
  }

  #disconnect(header: Header): void {
    for (const listener of this.#listeners) listener.block_disconnected(header.raw, header.height)
    this.wallet.blockDisconnected(header)
    this.#broadcaster.blockDisconnected(header.height)
    this.sweeps.blockDisconnected(header.height)
    this.#turn.saveManager()
  }
}

function ownId(keys: KeysManager): Hex {
  const id = keys.as_NodeSigner().get_node_id(Recipient.LDKRecipient_Node)
  if (!(id instanceof Result_PublicKeyNoneZ_OK)) throw new Error('A KeysManager has a node id.')
  return toHex(id.res)
}

function claimIdentity(store: Store, nodeId: Hex, network: Network, folder: string): void {
  const identity = store.get<{ node_id: Hex; network: Network }>('SELECT node_id, network FROM identity')
  if (!identity) store.run('INSERT INTO identity VALUES (1, ?, ?)', nodeId, network)
  else if (identity.node_id !== nodeId || identity.network !== network)
    throw new NodeError(
      'invalid',
      `${folder} belongs to the node ${identity.node_id} on ${identity.network}.`,
    )
}
