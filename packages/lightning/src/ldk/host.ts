import { setTimeout as sleep } from 'node:timers/promises'
import { NodeError } from '../ports.ts'
import { type HostLink, type StartLink, startThread } from './host-link.ts'
import { makeNodeProxy } from './node-proxy.ts'
import type { FromHost, HostSettings, OpenedNode, ToHost } from './protocol.ts'
import type { LdkHost, LdkHostOptions, LdkNode, LdkNodeOptions, NodeFault } from './types.ts'

const CALL_TIMEOUT_MS = 30_000
const OPEN_TIMEOUT_MS = 120_000
const FIRST_RESTART_MS = 250
const LONGEST_RESTART_MS = 30_000
const LONGEST_REOPEN_MS = 300_000
const HEALTHY_AFTER_MS = 60_000
/** A node is left closed when the host died so often in a row while that node was being opened. */
const MOST_DEATHS = 3

type Waiting = {
  resolve: (value: unknown) => void
  reject: (error: Error) => void
  timer: NodeJS.Timeout
  /** That was asked, if it was one of the nodes. */
  node: string | null
}
/** A node that is to be open; the seed stays in this process's memory. */
type Wanted = {
  readonly options: LdkNodeOptions
  /** Why it is down; null: it is open. */
  fault: string | null
  openedAt: number
  /** In a row, without a healthy time between. */
  failures: number
  deaths: number
  /** When it is opened again. */
  retry: NodeJS.Timeout | null
}
type Unnumbered<Message> = Message extends { id: number } ? Omit<Message, 'id'> : never

/** Starts the thread that holds LDK; `startLink` runs it elsewhere. Resolves once it takes calls. */
export async function startLdkHost(
  options: LdkHostOptions,
  startLink: StartLink = startThread,
): Promise<LdkHost> {
  const host = new Host(options, startLink)
  await host.start()
  return host
}

class Host implements LdkHost {
  readonly network: LdkHostOptions['network']
  restarts = 0
  readonly #options: LdkHostOptions
  readonly #startLink: StartLink
  readonly #waiting = new Map<number, Waiting>()
  readonly #wanted = new Map<string, Wanted>()
  #link: HostLink | null = null
  #ready: { resolve: () => void; reject: (error: Error) => void } | null = null
  #nextId = 1
  #startedAt = 0
  #crashesInARow = 0
  #restarting: Promise<void> | null = null
  #stopping = false

  constructor(options: LdkHostOptions, startLink: StartLink) {
    this.network = options.network
    this.#options = options
    this.#startLink = startLink
  }

  async start(): Promise<void> {
    const { network, bitcoind, graphFile, pollMs } = this.#options
    const settings: HostSettings = {
      network,
      bitcoindUrl: bitcoind.url,
      graphFile: graphFile ?? null,
      pollMs: pollMs ?? 1_000,
    }
    this.#startedAt = Date.now()
    await new Promise<void>((resolve, reject) => {
      this.#ready = { resolve, reject }
      const link: HostLink = this.#startLink(
        settings,
        (message) => this.#heard(link, message),
        (reason) => this.#ended(link, reason),
      )
      this.#link = link
    })
  }

  async openNode(options: LdkNodeOptions, { evenDown = false } = {}): Promise<LdkNode> {
    const kept: LdkNodeOptions = { ...options, seed: Uint8Array.from(options.seed) }
    const opened = await this.#openFirst(kept, evenDown)
    const { node, nodeId, listening, fault } = opened
    // Listening on port 0 picks a port; after a restart of the host it must be the same one.
    const wanted: Wanted = {
      options: listening ? { ...kept, listen: listening } : kept,
      ...{ fault: null, openedAt: Date.now(), failures: 0, deaths: 0, retry: null },
    }
    this.#wanted.set(nodeId, wanted)
    if (fault !== null) this.#isDown(nodeId, wanted, fault)
    return makeNodeProxy({
      ...{ nodeId, listening, network: this.network },
      call: (method, args, timeoutMs = CALL_TIMEOUT_MS) => {
        const down = this.#wanted.get(nodeId)?.fault ?? null
        if (down === null) return this.#ask({ kind: 'call', node, method, args }, timeoutMs)
        if (method === 'stop') return Promise.resolve()
        return Promise.reject(new NodeError('offline', `The node ${nodeId} is down: ${down}`))
      },
      stopped: () => this.#wanted.delete(nodeId),
      log: this.#options.log,
    })
  }

  faults(): readonly NodeFault[] {
    return [...this.#wanted].flatMap(([nodeId, { fault }]) =>
      fault === null ? [] : [{ nodeId, reason: fault }],
    )
  }

  async memory(): Promise<{ residentBytes: number }> {
    return (await this.#ask({ kind: 'memory' }, CALL_TIMEOUT_MS)) as { residentBytes: number }
  }

  crash(): void {
    this.#link?.send({ kind: 'crash' })
  }

  async stop(): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    const link = this.#link
    if (!link) return
    await this.#ask({ kind: 'stop' }, CALL_TIMEOUT_MS)
    await link.terminate()
  }

  #ask(message: Unnumbered<ToHost>, timeoutMs: number): Promise<unknown> {
    const link = this.#link
    if (!link) return Promise.reject(new NodeError('offline', 'The Lightning host is restarting.'))
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id)
        reject(new NodeError('offline', `The Lightning host did not answer within ${timeoutMs} ms.`))
      }, timeoutMs)
      this.#waiting.set(id, { resolve, reject, timer, node: 'node' in message ? message.node : null })
      link.send({ ...message, id })
    })
  }

  #heard(link: HostLink, message: FromHost): void {
    switch (message.kind) {
      case 'ready':
        this.#ready?.resolve()
        this.#ready = null
        return
      case 'log':
        this.#options.log[message.level](message.message, message.data)
        return
      case 'answer':
        this.#take(message.id)?.resolve(message.value)
        return
      case 'refused':
        this.#take(message.id)?.reject(new NodeError(message.code, message.message))
        return
      case 'node-ended': {
        const wanted = this.#wanted.get(message.node)
        for (const [id, { node }] of this.#waiting)
          if (node === message.node)
            this.#take(id)?.reject(new NodeError('offline', 'The Lightning node ended.'))
        if (wanted) this.#isDown(message.node, wanted, message.reason)
        return
      }
      case 'fatal':
        this.#ended(link, message.reason)
        void link.terminate()
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (waiting) clearTimeout(waiting.timer)
    return waiting
  }

  #ended(link: HostLink, reason: string): void {
    if (this.#link !== link) return
    this.#link = null
    const offline = () => new NodeError('offline', 'The Lightning host ended.')
    this.#ready?.reject(new NodeError('offline', `The Lightning host does not start: ${reason}`))
    const starting = this.#ready !== null
    this.#ready = null
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(offline())
    if (this.#stopping || starting || this.#restarting) return
    this.restarts++
    this.#options.log.error('The Lightning host ended and is started again.', {
      reason,
      restarts: this.restarts,
    })
    this.#restarting = this.#restart(link).finally(() => {
      this.#restarting = null
    })
  }

  async #restart(dead: HostLink): Promise<void> {
    // The files are fenced: the dead thread must have let go of them first.
    await dead.terminate()
    while (!this.#stopping) {
      this.#crashesInARow = Date.now() - this.#startedAt > HEALTHY_AFTER_MS ? 0 : this.#crashesInARow + 1
      await sleep(Math.min(LONGEST_RESTART_MS, FIRST_RESTART_MS * 2 ** Math.min(this.#crashesInARow, 8)))
      let link: HostLink | null = null
      try {
        await this.start()
        link = this.#link
        for (const [nodeId, wanted] of this.#wanted)
          if (wanted.deaths < MOST_DEATHS) await this.#reopen(nodeId, wanted)
        this.#options.log.info('The Lightning host is back.', {
          nodes: this.#wanted.size - this.faults().length,
        })
        return
      } catch (cause) {
        this.#options.log.error('The Lightning host did not come back; trying again.', {
          reason: String(cause),
        })
        link ??= this.#link
        this.#link = null
        await link?.terminate()
      }
    }
  }

  async #openFirst(
    options: LdkNodeOptions,
    evenDown: boolean,
  ): Promise<OpenedNode & { fault: string | null }> {
    try {
      const opened = (await this.#ask({ kind: 'open', options }, OPEN_TIMEOUT_MS)) as OpenedNode
      return { ...opened, fault: null }
    } catch (cause) {
      if (!evenDown) throw cause
      // It may have taken the host with it.
      await this.#restarting
      const nodeId = (await this.#ask({ kind: 'identify', seed: options.seed }, CALL_TIMEOUT_MS)) as string
      return { node: nodeId, nodeId, listening: null, fault: messageOf(cause) }
    }
  }

  /** Opens a node again. One that cannot be opened is tried later; rejects when the host died of it. */
  async #reopen(nodeId: string, wanted: Wanted): Promise<void> {
    const link = this.#link
    try {
      await this.#ask({ kind: 'open', options: wanted.options }, OPEN_TIMEOUT_MS)
    } catch (cause) {
      if (this.#link === link) return this.#isDown(nodeId, wanted, messageOf(cause))
      wanted.deaths++
      if (wanted.deaths < MOST_DEATHS) throw cause
      wanted.fault = `The host ended ${wanted.deaths} times while this node was being opened. It is left closed until the process is started again.`
      this.#options.log.error(DOWN, { nodeId, folder: wanted.options.folder, reason: wanted.fault })
      throw cause
    }
    if (wanted.fault !== null) this.#options.log.info('A Lightning node is back.', { nodeId })
    wanted.fault = null
    wanted.deaths = 0
    wanted.openedAt = Date.now()
  }

  /** Says so, and opens it again later, less and less often. The other nodes do not notice. */
  #isDown(nodeId: string, wanted: Wanted, reason: string): void {
    const wasHealthy = wanted.fault === null && Date.now() - wanted.openedAt > HEALTHY_AFTER_MS
    wanted.failures = wasHealthy ? 1 : wanted.failures + 1
    wanted.fault = reason
    this.#options.log.error(DOWN, { nodeId, folder: wanted.options.folder, reason })
    const pause = Math.min(LONGEST_REOPEN_MS, FIRST_RESTART_MS * 2 ** Math.min(wanted.failures - 1, 12))
    if (wanted.retry !== null) clearTimeout(wanted.retry)
    const retry = setTimeout(() => void this.#tryAgain(nodeId, wanted, retry), pause).unref()
    wanted.retry = retry
  }

  async #tryAgain(nodeId: string, wanted: Wanted, retry: NodeJS.Timeout): Promise<void> {
    // A host that is being started again opens the nodes by itself, this one perhaps before it could be opened.
    await this.#restarting
    const isLatest = wanted.retry === retry && this.#wanted.get(nodeId) === wanted
    if (!isLatest || wanted.fault === null || wanted.deaths >= MOST_DEATHS) return
    if (this.#stopping || this.#link === null) return
    try {
      await this.#reopen(nodeId, wanted)
    } catch (cause) {
      this.#options.log.error('The Lightning host ended while a node was opened again.', {
        ...{ nodeId, reason: String(cause) },
      })
    }
  }
}

const DOWN = 'A Lightning node is down; the others run on, and it is tried again.'

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
