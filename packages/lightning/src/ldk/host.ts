import { setTimeout as sleep } from 'node:timers/promises'
import { NodeError } from '../ports.ts'
import { type HostLink, type StartLink, startThread } from './host-link.ts'
import { makeNodeProxy } from './node-proxy.ts'
import type { FromHost, HostSettings, OpenedNode, ToHost } from './protocol.ts'
import type { LdkHost, LdkHostOptions, LdkNode, LdkNodeOptions } from './types.ts'

const CALL_TIMEOUT_MS = 30_000
const OPEN_TIMEOUT_MS = 120_000
const FIRST_RESTART_MS = 250
const LONGEST_RESTART_MS = 30_000
const HEALTHY_AFTER_MS = 60_000

type Waiting = { resolve: (value: unknown) => void; reject: (error: Error) => void; timer: NodeJS.Timeout }
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
  /** Everything that has to be opened again after a crash. The seeds stay in this process's memory. */
  readonly #open = new Map<string, LdkNodeOptions>()
  #link: HostLink | null = null
  #ready: { resolve: () => void; reject: (error: Error) => void } | null = null
  #nextId = 1
  #startedAt = 0
  #crashesInARow = 0
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

  async openNode(options: LdkNodeOptions): Promise<LdkNode> {
    // Listening on port 0 picks a port; after a restart of the host it must be the same one.
    const kept: LdkNodeOptions = { ...options, seed: Uint8Array.from(options.seed) }
    const opened = (await this.#ask({ kind: 'open', options: kept }, OPEN_TIMEOUT_MS)) as OpenedNode
    this.#open.set(opened.nodeId, opened.listening ? { ...kept, listen: opened.listening } : kept)
    return makeNodeProxy({
      nodeId: opened.nodeId,
      network: this.network,
      listening: opened.listening,
      call: (method, args, timeoutMs) =>
        this.#ask({ kind: 'call', node: opened.node, method, args }, timeoutMs ?? CALL_TIMEOUT_MS),
      stopped: () => this.#open.delete(opened.nodeId),
      log: this.#options.log,
    })
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
      this.#waiting.set(id, { resolve, reject, timer })
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
    if (this.#stopping || starting) return
    this.restarts++
    this.#options.log.error('The Lightning host ended and is started again.', {
      reason,
      restarts: this.restarts,
    })
    void this.#restart(link)
  }

  async #restart(dead: HostLink): Promise<void> {
    // The files are fenced: the dead thread must have let go of them first.
    await dead.terminate()
    while (!this.#stopping) {
      this.#crashesInARow = Date.now() - this.#startedAt > HEALTHY_AFTER_MS ? 0 : this.#crashesInARow + 1
      await sleep(Math.min(LONGEST_RESTART_MS, FIRST_RESTART_MS * 2 ** Math.min(this.#crashesInARow, 8)))
      try {
        await this.start()
        for (const options of this.#open.values()) await this.#ask({ kind: 'open', options }, OPEN_TIMEOUT_MS)
        this.#options.log.info('The Lightning host is back.', { nodes: this.#open.size })
        return
      } catch (cause) {
        this.#options.log.error('The Lightning host did not come back; trying again.', {
          reason: String(cause),
        })
        const link: HostLink | null = this.#link
        this.#link = null
        await link?.terminate()
      }
    }
  }
}
