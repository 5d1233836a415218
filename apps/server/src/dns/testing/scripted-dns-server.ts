import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket as TcpSocket } from 'node:net'

/** One request as it came; `tcp` with its length removed. */
export type ScriptedRequest = { readonly wire: Uint8Array; readonly via: 'udp' | 'tcp' }

/** Messages to send back, in this order; none is silence. `close` ends a TCP connection at once. */
export type Script = (request: ScriptedRequest) => readonly Uint8Array[] | 'close'

export type ScriptedDnsServer = {
  /** `127.0.0.1:port`, UDP and TCP. */
  readonly server: string
  readonly requests: readonly ScriptedRequest[]
  /** From now on requests are answered by this. */
  follow(script: Script): void
  /** Sends a datagram to whoever asked last, from another port. */
  forge(message: Uint8Array): Promise<void>
  /** Cut TCP answers into single bytes. */
  dribble: boolean
  stop(): Promise<void>
}

/** A DNS server for tests that answers, lies or keeps silent as a script tells it. */
export async function startScriptedDnsServer(script: Script): Promise<ScriptedDnsServer> {
  let current = script
  const requests: ScriptedRequest[] = []
  const connections = new Set<TcpSocket>()
  let lastAsker: AddressInfo | null = null
  const tcp = createServer((connection) => {
    connections.add(connection)
    connection.on('error', () => connection.destroy())
    connection.on('close', () => connections.delete(connection))
    let received = Buffer.alloc(0)
    connection.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
      const wire = new Uint8Array(received.subarray(2, 2 + received.readUInt16BE(0)))
      const reply = answer({ wire, via: 'tcp' })
      if (reply === 'close') return void connection.end()
      for (const message of reply) void send(connection, message, self.dribble)
    })
  })
  const { udp, port } = await listenOnOnePort(tcp)
  udp.on('message', (message, from) => {
    lastAsker = { ...from, family: from.family }
    const reply = answer({ wire: new Uint8Array(message), via: 'udp' })
    if (reply === 'close') return
    for (const part of reply) udp.send(part, from.port, from.address)
  })

  function answer(request: ScriptedRequest): ReturnType<Script> {
    requests.push(request)
    return current(request)
  }

  const self: ScriptedDnsServer = {
    server: `127.0.0.1:${port}`,
    requests,
    dribble: false,
    follow(next) {
      current = next
    },
    async forge(message) {
      if (!lastAsker) throw new Error('nobody has asked yet')
      const socket = createSocket('udp4')
      await new Promise((resolve) => socket.send(message, lastAsker!.port, lastAsker!.address, resolve))
      socket.close()
    },
    async stop() {
      for (const connection of connections) connection.destroy()
      const closed = [once(tcp, 'close'), once(udp, 'close')]
      tcp.close()
      udp.close()
      await Promise.all(closed)
    },
  }
  return self
}

async function send(connection: TcpSocket, message: Uint8Array, dribble: boolean): Promise<void> {
  const framed = new Uint8Array(2 + message.length)
  new DataView(framed.buffer).setUint16(0, message.length)
  framed.set(message, 2)
  const parts = dribble ? Array.from(framed, (byte) => Uint8Array.of(byte)) : [framed]
  for (const part of parts) {
    connection.write(part)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A port that is free for both protocols: the system picks one for UDP, and TCP may find it taken. */
async function listenOnOnePort(tcp: ReturnType<typeof createServer>): Promise<{ udp: Socket; port: number }> {
  for (;;) {
    const udp = createSocket('udp4')
    udp.bind(0, '127.0.0.1')
    await once(udp, 'listening')
    const { port } = udp.address()
    tcp.listen(port, '127.0.0.1')
    try {
      await once(tcp, 'listening')
      return { udp, port }
    } catch (error) {
      udp.close()
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
}
