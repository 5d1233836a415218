import { connect, type Socket } from 'node:net'
import type { LoadRequest } from './requests.ts'

/** Sends a request on a connection that has nothing else under way; answers its status when all of it has come. */
export type Send = (request: LoadRequest) => Promise<number>

/**
 * Kept-alive HTTP/1.1 connections to `url`. Just enough of a client: Node's own works as long for an answer as our
 * server does, and leaves so much garbage that half of the slowest answers were its collections.
 */
export function openConnections(url: string): { send: Send; close(): void } {
  const { host, hostname, port } = new URL(url)
  const all: Connection[] = []
  const free: Connection[] = []
  const bytes = new Map<LoadRequest, Buffer>()

  function bytesOf(request: LoadRequest): Buffer {
    const known = bytes.get(request)
    if (known) return known
    const made = encode(request, host)
    bytes.set(request, made)
    return made
  }
  return {
    async send(request) {
      const connection = free.pop() ?? open(hostname, Number(port), all)
      const status = await connection.exchange(bytesOf(request))
      free.push(connection)
      return status
    },
    close() {
      for (const { socket } of all) socket.destroy()
    },
  }
}

/** Of the head. */
const END = '\r\n\r\n'

type Connection = { socket: Socket; exchange(request: Buffer): Promise<number> }

function encode({ method, path, headers, body = '' }: LoadRequest, host: string): Buffer {
  const lines = Object.entries({ host, 'content-length': `${Buffer.byteLength(body)}`, ...headers })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${head}\r\n${body}`)
}

function open(host: string, port: number, all: Connection[]): Connection {
  let text = ''
  /** Bytes that have not come yet, where that is known. */
  let left: number | null = null
  let under: { resolve: (status: number) => void; reject: (cause: Error) => void } | null = null

  function read(size: number, buffer: Uint8Array): boolean {
    if (left === null) {
      text += (buffer as Buffer).toString('latin1', 0, size)
      left = lengthOf(text)
      if (left !== null) left -= text.length
    } else left -= size
    if (left === null ? !hasLastChunk(text) : left > 0) return true
    const status = Number(text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
    text = ''
    left = null
    under?.resolve(status)
    under = null
    return true
  }
  const onread = { buffer: Buffer.alloc(64 * 1024), callback: read }
  const socket = connect({ host, port, noDelay: true, onread })
  socket.on('error', (error) => under?.reject(error))
  socket.on('close', () => under?.reject(new Error('The server closed a connection of the load.')))
  const connection: Connection = {
    socket,
    exchange(request) {
      const answer = new Promise<number>((resolve, reject) => {
        under = { resolve, reject }
      })
      socket.write(request)
      return answer
    },
  }
  all.push(connection)
  return connection
}

/** Of an answer that says so in its head, the head included. */
function lengthOf(text: string): number | null {
  const end = text.indexOf(END)
  const length = end < 0 ? undefined : /\r\ncontent-length: (\d+)\r\n/i.exec(text)?.[1]
  return length === undefined ? null : end + END.length + Number(length)
}

/** Of an answer in chunks; JSON has no such lines in it. */
function hasLastChunk(text: string): boolean {
  return text.endsWith('\r\n0\r\n\r\n')
}
