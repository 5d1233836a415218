import { createServer, connect as openSocket, type Server, type Socket } from 'node:net'
import { Option_SocketAddressZ, type PeerManager, Result_CVec_u8ZPeerHandleErrorZ_OK } from 'lightningdevkit'
import { listen } from '../../listen.ts'
import { NodeError } from '../../ports.ts'
import type { Log } from '../types.ts'
import { fromHex, toHex } from './bytes.ts'
import { checkNodeId, checkWhole } from './checks.ts'
import { Connection } from './connection.ts'
import type { Guard } from './guard.ts'
import type { Store } from './store.ts'

const CONNECT_TIMEOUT_MS = 5_000
const FIRST_RETRY_MS = 200
const LONGEST_RETRY_MS = 30_000
/** Strangers may connect to a listening node; each costs memory. */
const MOST_INBOUND = 500

type Waiter = { resolve: () => void; reject: (error: Error) => void }
type Dial = { host: string; port: number; failures: number; timer: NodeJS.Timeout | null; dialling: boolean }

/** Sockets in and out, and the peers that we reconnect to by ourselves. */
export class Peers {
  readonly #store: Store
  readonly #manager: PeerManager
  readonly #guard: Guard
  readonly #log: Log
  readonly #wake: () => void
  readonly #connections = new Set<Connection>()
  readonly #dials = new Map<string, Dial>()
  readonly #waiters = new Map<string, Waiter[]>()
  #server: Server | null = null
  #nextHash = 1n
  #stopped = false
  /** New sockets, told to LDK in the next turn. */
  #arrivals: (() => void)[] = []

  constructor(parts: { store: Store; manager: PeerManager; guard: Guard; log: Log; wake: () => void }) {
    this.#store = parts.store
    this.#manager = parts.manager
    this.#guard = parts.guard
    this.#log = parts.log
    this.#wake = parts.wake
  }

  async listen(address: { host: string; port: number }): Promise<{ host: string; port: number }> {
    const server = createServer((socket) => this.#arrive(() => this.#accept(socket)))
    server.maxConnections = MOST_INBOUND
    const port = await listen(server, address, (fault) =>
      this.#log.warn('The socket on which peers arrive failed; it goes on.', { reason: fault.message }),
    )
    this.#server = server
    return { host: address.host, port }
  }

  /** Starts to reach every peer that was remembered. */
  start(): void {
    const remembered = this.#store.all<{ node_id: string; host: string; port: number }>('SELECT * FROM peers')
    for (const { node_id, host, port } of remembered) this.#dial(node_id, host, port)
  }

  /** Remembers the peer with the turn's commit and dials it; `done` is called when LDK has it as a peer. */
  connect(nodeId: string, host: string, port: number): Promise<void> {
    checkNodeId(nodeId)
    checkWhole(port, 'A port', 1, 65_535)
    this.#store.run(
      'INSERT INTO peers VALUES (?, ?, ?) ON CONFLICT (node_id) DO UPDATE SET host = excluded.host, port = excluded.port',
      nodeId,
      host,
      port,
    )
    if (this.connected().has(nodeId)) return Promise.resolve()
    const connected = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () =>
          waiter.reject(new NodeError('offline', `The peer ${nodeId} at ${host}:${port} does not answer.`)),
        CONNECT_TIMEOUT_MS,
      )
      const settle = () => {
        clearTimeout(timer)
        this.#waiters.set(
          nodeId,
          (this.#waiters.get(nodeId) ?? []).filter((other) => other !== waiter),
        )
      }
      const waiter: Waiter = {
        resolve: () => {
          settle()
          resolve()
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      }
      this.#waiters.set(nodeId, [...(this.#waiters.get(nodeId) ?? []), waiter])
    })
    const dial = this.#dials.get(nodeId)
    if (dial?.timer) clearTimeout(dial.timer)
    this.#dials.delete(nodeId)
    this.#dial(nodeId, host, port)
    return connected
  }

  /** A connection that LDK asks for (an introduction node of an offer): dialled once, not remembered. */
  reach(nodeId: string, host: string, port: number): void {
    if (!this.connected().has(nodeId) && !this.#dials.has(nodeId))
      this.#attempt(nodeId, host, port, () => undefined)
  }

  connected(): Set<string> {
    return new Set(this.#manager.list_peers().map((peer) => toHex(peer.get_counterparty_node_id())))
  }

  /** The part of a turn in which LDK hears what the sockets said. */
  read(): void {
    for (const arrive of this.#arrivals.splice(0)) arrive()
    for (const connection of this.#connections) {
      for (const chunk of connection.takeInput()) {
        if (connection.forgotten) break
        const read = this.#manager.read_event(connection.descriptor, chunk)
        if (!read.is_ok()) this.#forget(connection)
        else if ((read as unknown as { res: boolean }).res) connection.pauseReading()
      }
      if (!connection.forgotten && connection.takeWritable()) {
        if (!this.#manager.write_buffer_space_avail(connection.descriptor).is_ok()) this.#forget(connection)
      }
      if (connection.closed) {
        if (!connection.forgotten) this.#manager.socket_disconnected(connection.descriptor)
        connection.forgotten = true
        this.#connections.delete(connection)
      }
    }
  }

  /** After the commit: what LDK wrote may leave now. */
  flush(): void {
    for (const connection of this.#connections) connection.flush()
    if (this.#waiters.size === 0) return
    const connected = this.connected()
    for (const [nodeId, waiters] of this.#waiters) {
      if (!connected.has(nodeId)) continue
      for (const waiter of [...waiters]) waiter.resolve()
      this.#waiters.delete(nodeId)
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const dial of this.#dials.values()) if (dial.timer) clearTimeout(dial.timer)
    for (const waiters of this.#waiters.values())
      for (const waiter of [...waiters]) waiter.reject(new NodeError('offline', 'The node stops.'))
    for (const connection of this.#connections) connection.socket.destroy()
    const server = this.#server
    if (server) await new Promise((resolve) => server.close(resolve))
  }

  #dial(nodeId: string, host: string, port: number): void {
    const dial: Dial = this.#dials.get(nodeId) ?? { host, port, failures: 0, timer: null, dialling: false }
    this.#dials.set(nodeId, dial)
    if (this.#stopped || dial.dialling) return
    dial.dialling = true
    this.#attempt(nodeId, host, port, (reached) => {
      dial.dialling = false
      if (this.#stopped || this.#dials.get(nodeId) !== dial) return
      dial.failures = reached ? 0 : dial.failures + 1
      const pause = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(dial.failures, 10))
      dial.timer = setTimeout(
        () => {
          // The peer may have connected to us meanwhile: then there is nothing to dial until it is gone.
          if (this.connected().has(nodeId))
            dial.timer = setTimeout(() => this.#dial(nodeId, host, port), pause)
          else this.#dial(nodeId, host, port)
        },
        pause * (0.75 + Math.random() / 2),
      )
    })
  }

  #attempt(nodeId: string, host: string, port: number, ended: (reached: boolean) => void): void {
    if (this.connected().has(nodeId)) {
      ended(true)
      return
    }
    const socket = openSocket({ host, port, timeout: CONNECT_TIMEOUT_MS })
    let reached = false
    socket.once('timeout', () => socket.destroy())
    socket.once('error', () => socket.destroy())
    socket.once('close', () => ended(reached))
    socket.once('connect', () => {
      socket.setTimeout(0)
      reached = true
      this.#arrive(() => this.#greet(nodeId, socket))
    })
  }

  #arrive(tell: () => void): void {
    this.#arrivals.push(tell)
    this.#wake()
  }

  #accept(socket: Socket): void {
    const connection = this.#adopt(socket)
    const accepted = this.#manager.new_inbound_connection(
      connection.descriptor,
      Option_SocketAddressZ.constructor_none(),
    )
    if (!accepted.is_ok()) this.#forget(connection)
  }

  #greet(nodeId: string, socket: Socket): void {
    const connection = this.#adopt(socket)
    const greeting = this.#manager.new_outbound_connection(
      fromHex(nodeId),
      connection.descriptor,
      Option_SocketAddressZ.constructor_none(),
    )
    if (greeting instanceof Result_CVec_u8ZPeerHandleErrorZ_OK) connection.queue(greeting.res)
    else this.#forget(connection)
  }

  #adopt(socket: Socket): Connection {
    const connection = new Connection(socket, this.#nextHash++, this.#guard, this.#wake)
    this.#connections.add(connection)
    return connection
  }

  #forget(connection: Connection): void {
    connection.forgotten = true
    connection.socket.destroy()
  }
}
