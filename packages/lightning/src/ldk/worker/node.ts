import {
  EventHandler,
  KeysManager,
  type Logger,
  type NetworkGraph,
  Result_NoneReplayEventZ,
} from 'lightningdevkit'
import { type Hex, type Network, NodeError } from '../../ports.ts'
import type { LdkNodeOptions, Log } from '../types.ts'
import { Announcer, hasBothDirections } from './announcer.ts'
import { type Assembly, assemble } from './assembly.ts'
import type { BitcoinRpc, Header } from './bitcoin-rpc.ts'
import { Broadcaster } from './broadcaster.ts'
import { ChainFollower } from './chain-follower.ts'
import { ChannelOpener } from './channel-opener.ts'
import type { NodeContext } from './context.ts'
import type { FeeRates } from './fees.ts'
import type { Guard } from './guard.ts'
import { HoldClaims } from './hold-claims.ts'
import { Holds } from './holds.ts'
import { claimIdentity, ownId } from './identity.ts'
import { OrdinaryInvoices } from './invoices.ts'
import { handleEvent } from './ldk-events.ts'
import { MonitorPersister } from './monitor-persister.ts'
import { EventLog } from './node-events.ts'
import { offerKeys } from './offer-keys.ts'
import { OfferRequests } from './offer-requests.ts'
import { Offers } from './offers.ts'
import { OwnHashes } from './own-hashes.ts'
import { Payments } from './payments.ts'
import { makePeerSide } from './peer-side.ts'
import { Peers } from './peers.ts'
import { Store } from './store.ts'
import { Sweeps } from './sweeps.ts'
import { Turn } from './turn.ts'
import { TurnLoop } from './turn-loop.ts'
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
  guard: Guard
  logger: Logger
  log: Log
  now: () => number
  /** The WASM instance or the node's file can no longer be trusted. */
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
  readonly ownHashes: OwnHashes
  readonly offers: Offers
  readonly #requests: OfferRequests
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
  readonly #claims: HoldClaims
  readonly #broadcaster: Broadcaster
  readonly #chain: ChainFollower
  readonly #timerTick: () => void
  readonly #loop: TurnLoop
  #timer: NodeJS.Timeout | null = null

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
    this.#loop = new TurnLoop({
      finish: () => this.#finishTurn(),
      sync: () => store.sync(),
      syncNow: () => store.syncNow(),
      letOut: () => {
        this.peers.flush()
        this.#broadcaster.flush()
        this.events.flush()
      },
      fatal: around.fatal,
    })
    const startedAt = now()
    // The starting time only has to differ from start to start: it salts the randomness.
    const keys = KeysManager.constructor_new(
      options.seed,
      BigInt(Math.floor(startedAt / 1000)),
      (startedAt % 1000) * 1e6,
    )
    this.nodeId = ownId(keys)
    claimIdentity(store, this.nodeId, network, options.folder)
    this.#guard = around.guard
    this.#persister = new MonitorPersister(store, this.#guard, (write, channelOf) =>
      this.#claims.monitorUpdated(write, channelOf),
    )
    this.#broadcaster = new Broadcaster(store, around.rpc, log)
    const config = makeUserConfig(options, network)
    this.assembly = assemble(
      {
        ...{ store, keys, logger, graph, fees, network, config, now },
        guard: this.#guard,
        persister: this.#persister,
        broadcast: (raw) => this.#broadcaster.add(raw, this.height()),
        maxTotalCltv: (paymentId) => this.payments.maxTotalCltv(paymentId),
        mayBeSent: (paymentId) => this.payments.mayBeSent(paymentId),
        height: () => this.height(),
        routeFound: (paymentId, feeMsat) => this.payments.pathsChanged(paymentId, feeMsat),
        invoiceRequested: (paymentId, nonce) => this.#requests.begun(paymentId, nonce),
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
    this.#claims = new HoldClaims(this.context, chainMonitor)
    this.holds = new Holds(this.context, this.#claims)
    this.ownHashes = new OwnHashes(options.seed)
    const ofOffers = offerKeys(options.seed)
    this.offers = new Offers(this.context, keys.as_EntropySource(), ofOffers)
    this.payments = new Payments(this.context, {
      keepProofs: options.keepProofs ?? false,
      isHeld: (paymentHash) => this.holds.lookup(paymentHash)?.state === 'held',
    })
    this.sweeps = new Sweeps(this.context, keys, this.wallet, this.#broadcaster, fees)
    this.opener = new ChannelOpener({
      ...{ node: this.context, wallet: this.wallet, fees, config },
      acceptFrom: options.acceptInboundChannelsFrom ?? 'anyone',
      broadcast: () => this.#broadcaster.sent(),
    })
    this.#requests = new OfferRequests({
      ...{ node: this.context, offers: this.offers, payments: this.payments, keys: ofOffers },
      answering: manager.as_OffersMessageHandler(),
    })
    const { peerManager, onionMessenger } = makePeerSide({
      ...{ assembly: this.assembly, keys, logger, graph, now, requests: this.#requests },
      guard: this.#guard,
    })
    this.peers = new Peers({
      store,
      manager: peerManager,
      guard: this.#guard,
      log,
      wake: () => this.#loop.wake(),
    })
    this.announcer = new Announcer({
      manager,
      peerManager,
      graph,
      nodeId: this.nodeId,
      alias: options.alias,
      now,
    })
    this.#turn = new Turn({
      ...{ store, manager, chainMonitor, peerManager, onionMessenger },
      guard: this.#guard,
      persister: this.#persister,
      eventHandler: this.#eventHandler(),
    })
    this.#chain = new ChainFollower({
      ...{ assembly: this.assembly, rpc: around.rpc, logger },
      keepers: [this.wallet, this.#broadcaster, this.sweeps, this.holds],
      saveManager: () => this.#turn.saveManager(),
      inTurn: (jobs) => this.#loop.run(jobs),
      hasEnded: () => this.#loop.ended,
    })
    let ticks = 0
    this.#timerTick = () => {
      ticks++
      this.payments.tick()
      this.announcer.tick()
      if (ticks % PEER_TICKS === 0) peerManager.timer_tick_occurred()
      if (ticks % MANAGER_TICKS !== 0) return
      manager.timer_tick_occurred()
      this.events.forgetOld(now())
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

  /** As `TurnLoop.perform`. */
  perform<Answer>(act: () => Answer | Promise<Answer>): Promise<Answer> {
    return this.#loop.perform(act)
  }

  /** As `TurnLoop.ask`. */
  ask<Answer>(act: () => Answer | Promise<Answer>): Promise<Answer> {
    return this.#loop.ask(act)
  }

  /** Follows the chain to `tipHash`; calls queue up behind one another. */
  follow(tipHash: string): Promise<void> {
    return this.#chain.follow(tipHash)
  }

  async stop(): Promise<void> {
    if (this.#loop.ended) return
    await this.#chain.idle()
    this.#loop.run()
    this.#loop.end()
    if (this.#timer) clearInterval(this.#timer)
    this.events.stop()
    this.opener.stop()
    await this.peers.stop()
    this.store.close()
  }

  /** Nothing of it is kept or let out any more: what it has on the disk is what it was. */
  abandon(): void {
    this.#loop.end()
    if (this.#timer) clearInterval(this.#timer)
    this.events.stop()
    this.opener.stop()
    void this.peers.stop()
    this.store.close()
  }

  #finishTurn(): boolean {
    this.peers.read()
    this.payments.sendWaiting()
    return this.#turn.settle()
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
    await this.#chain.bringUpMonitors()
    this.#guard.check()
    this.#persister.loading = false
    this.#broadcaster.sendAgain()
    this.#turn.saveManager()
    await this.follow(await this.#around.rpc.bestBlockHash())
    this.#loop.run()
    this.payments.reconcile()
    this.#loop.run()
  }

  #start(): void {
    this.peers.start()
    this.#timer = setInterval(() => this.#loop.add(this.#timerTick), TICK_MS)
  }
}
