import { KeysManager, type Logger, type NetworkGraph } from 'lightningdevkit'
import { NodeError } from '../../ports.ts'
import type { FromHost, HostSettings, OpenedNode, ToHost } from '../protocol.ts'
import type { LdkNodeOptions, Log } from '../types.ts'
import { type BitcoinRpc, makeBitcoinRpc } from './bitcoin-rpc.ts'
import { COMMANDS, QUESTIONS } from './calls.ts'
import { explain, isFileFault, isPanic } from './faults.ts'
import { FeeRates } from './fees.ts'
import { GraphFile, newGraph } from './graph-file.ts'
import { Guard } from './guard.ts'
import { ownId } from './identity.ts'
import { makeLdkLogger } from './ldk-logger.ts'
import { Node } from './node.ts'
import { loadWasm } from './wasm.ts'

const SAVE_GRAPH_EVERY_MS = 10_000
const PRUNE_GRAPH_EVERY_MS = 60 * 60 * 1000

type Call = (node: Node, ...args: readonly unknown[]) => unknown
const QUESTION = new Map(Object.entries(QUESTIONS)) as ReadonlyMap<string, Call>
const COMMAND = new Map(Object.entries(COMMANDS)) as ReadonlyMap<string, Call>

/** One WASM instance with its graph, its chain poller and any number of nodes. Speaks by messages only. */
export class HostCore {
  readonly #settings: HostSettings
  readonly #send: (message: FromHost) => void
  readonly #rpc: BitcoinRpc
  readonly #fees: FeeRates
  readonly #guard = new Guard()
  readonly #logger: Logger
  readonly #graphFile: GraphFile | null
  readonly #graph: NetworkGraph
  readonly #log: Log
  readonly #nodes = new Map<string, Node>()
  readonly #timers: NodeJS.Timeout[]
  #looking: Promise<void> | null = null
  #nextLook: Promise<void> | null = null
  #chainAnswers = true
  #ended = false

  static async start(settings: HostSettings, send: (message: FromHost) => void): Promise<HostCore> {
    await loadWasm()
    const core = new HostCore(settings, send)
    send({ kind: 'ready' })
    return core
  }

  private constructor(settings: HostSettings, send: (message: FromHost) => void) {
    this.#settings = settings
    this.#send = send
    const level =
      (level: 'info' | 'warn' | 'error') =>
      (message: string, data: Parameters<Log['info']>[1] = {}) =>
        send({ kind: 'log', level, message, data })
    this.#log = { info: level('info'), warn: level('warn'), error: level('error') }
    this.#rpc = makeBitcoinRpc(settings.bitcoindUrl)
    this.#fees = new FeeRates(this.#rpc, settings.network)
    this.#logger = makeLdkLogger(this.#log, this.#guard)
    this.#graphFile = settings.graphFile === null ? null : new GraphFile(settings.graphFile, this.#log)
    this.#graph = this.#graphFile?.load(this.#logger) ?? newGraph(settings.network, this.#logger)
    this.#timers = [
      setInterval(() => void this.#poll(), settings.pollMs),
      setInterval(() => this.#graphFile?.save(this.#graph), SAVE_GRAPH_EVERY_MS),
      setInterval(() => this.#pruneGraph(), PRUNE_GRAPH_EVERY_MS),
    ]
  }

  receive(message: ToHost): void {
    switch (message.kind) {
      case 'crash':
        this.#panic()
        return
      case 'open':
        this.#answer(message.id, this.#open(message.options))
        return
      case 'identify':
        this.#answer(message.id, Promise.resolve(ownId(KeysManager.constructor_new(message.seed, 0n, 0))))
        return
      case 'call':
        this.#answer(message.id, this.#call(message.node, message.method, message.args))
        return
      case 'memory':
        this.#answer(message.id, Promise.resolve({ residentBytes: process.memoryUsage().rss }))
        return
      case 'stop':
        this.#answer(message.id, this.#stop())
    }
  }

  async #open(options: LdkNodeOptions): Promise<OpenedNode> {
    await this.#fees.refresh(Date.now())
    let opened: Node | null = null
    let failed: { cause: unknown } | null = null
    try {
      const { node, listening } = await Node.open(options, {
        network: this.#settings.network,
        rpc: this.#rpc,
        fees: this.#fees,
        graph: this.#graph,
        guard: new Guard(this.#guard),
        logger: this.#logger,
        log: this.#log,
        now: () => Date.now(),
        fatal: (cause) => {
          if (!isFileFault(cause)) this.#fatal(cause)
          else if (opened === null) failed = { cause }
          else this.#abandon(opened, cause)
        },
      })
      opened = node
      if (failed !== null) {
        node.abandon()
        throw (failed as { cause: unknown }).cause
      }
      this.#nodes.set(node.nodeId, node)
      return { node: node.nodeId, nodeId: node.nodeId, listening }
    } catch (cause) {
      if (isPanic(cause)) this.#fatal(cause)
      throw cause
    }
  }

  /** One node's file failed: it is closed as it is, and the others run on. */
  #abandon(node: Node, cause: unknown): void {
    if (this.#nodes.get(node.nodeId) !== node) return
    this.#nodes.delete(node.nodeId)
    node.abandon()
    this.#log.error('The file of a Lightning node failed.', { nodeId: node.nodeId, reason: explain(cause) })
    const reason = cause instanceof Error ? cause.message : String(cause)
    this.#send({ kind: 'node-ended', node: node.nodeId, reason: `Its file failed: ${reason}` })
  }

  async #call(nodeId: string, method: string, args: readonly unknown[]): Promise<unknown> {
    const node = this.#nodes.get(nodeId)
    if (!node) throw new NodeError('offline', 'The node is not open.')
    if (method === 'sync') {
      await this.#lookAfterwards()
      return { height: node.height() }
    }
    if (method === 'stop') {
      this.#nodes.delete(nodeId)
      return node.stop()
    }
    const [question, command] = [QUESTION.get(method), COMMAND.get(method)]
    if (question) return node.ask(() => question(node, ...args))
    if (command) return node.perform(() => command(node, ...args))
    throw new NodeError('unsupported', `Nodes do not know the call ${method}.`)
  }

  /** Looks at the chain now and then; a failure is told when it begins and when it ends. */
  async #poll(): Promise<void> {
    try {
      await this.#fees.refresh(Date.now())
      await this.#look()
      if (!this.#chainAnswers) this.#log.info('The chain answers again.')
      this.#chainAnswers = true
    } catch (cause) {
      if (this.#chainAnswers) this.#log.error('The chain cannot be followed.', { reason: String(cause) })
      this.#chainAnswers = false
    }
  }

  /** One look at a time: tips that were asked for at once could come in the wrong order, and the newer would be left. */
  #look(): Promise<void> {
    this.#looking ??= this.#followTip().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  /** A look that begins after this was called, one for all who ask while another is under way. */
  #lookAfterwards(): Promise<void> {
    const look = () => {
      this.#nextLook = null
      return this.#look()
    }
    this.#nextLook ??= (this.#looking ?? Promise.resolve()).then(look, look)
    return this.#nextLook
  }

  /** All nodes follow a block in one go, before any of them hears from a peer that saw it earlier. */
  async #followTip(): Promise<void> {
    const tip = await this.#rpc.bestBlockHash()
    await Promise.all([...this.#nodes.values()].map((node) => node.follow(tip)))
  }

  #answer(id: number, work: Promise<unknown>): void {
    work.then(
      (value) => this.#send({ kind: 'answer', id, value }),
      (cause) => {
        const known = cause instanceof NodeError
        if (!known) this.#log.error('A call to a node failed.', { reason: String(cause) })
        const message = cause instanceof Error ? cause.message : String(cause)
        this.#send({ kind: 'refused', id, code: known ? cause.code : 'offline', message })
      },
    )
  }

  /** BOLT 7: channels without an update for two weeks may be forgotten. */
  #pruneGraph(): void {
    this.#graph.remove_stale_channels_and_tracking_with_time(BigInt(Math.floor(Date.now() / 1000)))
  }

  async #stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await Promise.all([...this.#nodes.values()].map((node) => node.stop()))
    if (!this.#ended) this.#graphFile?.save(this.#graph)
    this.#ended = true
  }

  #fatal(cause: unknown): void {
    if (this.#ended) return
    this.#ended = true
    for (const timer of this.#timers) clearInterval(timer)
    this.#send({ kind: 'fatal', reason: explain(cause) })
  }

  /** Fault injection: writing the graph while a read lock on it is out makes LDK panic (a BorrowMutError). */
  #panic(): void {
    try {
      this.#graph.read_only()
      this.#graph.channel_failed_permanent(1n)
    } catch (cause) {
      this.#fatal(cause)
    }
  }
}
