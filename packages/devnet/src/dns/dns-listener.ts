import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer, type Socket } from 'node:net'
import { listen } from '@holdfast/lightning/listen'
import { takeFramed, withLength } from './tcp-framing.ts'

export type Responder = (query: Uint8Array, transport: 'udp' | 'tcp') => Uint8Array | null

export type DnsListener = { port: number; close(): Promise<void> }

/** RFC 7766 §6.2.3: idle connections are closed after some seconds. */
const IDLE_TIMEOUT_MS = 10_000
const MAX_CONNECTIONS = 200
/** How many free ports are tried until one is free for UDP and TCP alike. */
const PORT_ATTEMPTS = 20

/**
 * Serves DNS on one port over UDP and TCP. Port 0 takes any that is free for both. A later error of a listening socket
 * is told to `onFault`, and both go on.
 */
export async function listenForDns(
  host: string,
  port: number,
  respond: Responder,
  onFault: (fault: unknown) => void = (fault) => console.error('devnet DNS:', fault),
): Promise<DnsListener> {
  for (let attempt = 1; ; attempt++) {
    const tcp = await listenTcp(host, port, respond, onFault)
    try {
      const udp = await listenUdp(host, tcp.port, respond, onFault)
      return { port: tcp.port, close: async () => void (await Promise.all([udp.close(), tcp.close()])) }
    } catch (error) {
      await tcp.close()
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (port !== 0 || !isTaken || attempt === PORT_ATTEMPTS) throw error
    }
  }
}

function listenUdp(
  host: string,
  port: number,
  respond: Responder,
  onFault: (fault: unknown) => void,
): Promise<{ close(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const socket: UdpSocket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    socket.on('message', (query, peer) => {
      const response = respond(query, 'udp')
      // A client that went away is no fault of ours: UDP has no one to tell.
      if (response) socket.send(response, peer.port, peer.address, () => undefined)
    })
    socket.once('error', reject)
    socket.bind(port, host, () => {
      socket.off('error', reject)
      socket.on('error', onFault)
      resolve({ close: () => new Promise((closed) => socket.close(() => closed())) })
    })
  })
}

async function listenTcp(
  host: string,
  port: number,
  respond: Responder,
  onFault: (fault: unknown) => void,
): Promise<{ port: number; close(): Promise<void> }> {
  const connections = new Set<Socket>()
  const server = createServer((socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
    serveConnection(socket, respond)
  })
  server.maxConnections = MAX_CONNECTIONS
  return {
    port: await listen(server, { host, port }, onFault),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        for (const socket of connections) socket.destroy()
      }),
  }
}

function serveConnection(socket: Socket, respond: Responder): void {
  let received: Uint8Array = new Uint8Array()
  socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy())
  // 'close' follows every error, and there is nothing else to do about a connection that a client broke.
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    const { messages, rest } = takeFramed(received, chunk)
    received = rest
    for (const message of messages) {
      const response = respond(message, 'tcp')
      if (response) socket.write(withLength(response))
    }
  })
}
