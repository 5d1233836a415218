import { createSocket } from 'node:dgram'
import { createConnection, isIP } from 'node:net'
import { RCODE } from '@holdfast/protocols/dns/codes'
import { canonicalName } from '@holdfast/protocols/dns/names'
import { WireReader } from '@holdfast/protocols/dns/reader'
import { DnsWireError } from '@holdfast/protocols/dns/wire-error'
import { formatServerAddress, type ServerAddress } from './server-address.ts'

export type ExchangeFailure =
  /** Nothing that answers our question came in time. */
  | 'timeout'
  /** The network or the server's host refused. */
  | 'unreachable'
  /** The server answered with bytes that are no DNS message. */
  | 'malformed'
  /** The answer is larger than we accept. */
  | 'too-large'

/** One server gave no usable answer; whether it acted on the message is unknown. */
export class DnsExchangeError extends Error {
  readonly failure: ExchangeFailure
  constructor(failure: ExchangeFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DnsExchangeError'
    this.failure = failure
  }
}

export type ExchangeLimits = {
  /** For the whole exchange, connecting included. */
  readonly timeoutMs: number
  readonly maxResponseBytes: number
}

const HEADER_BYTES = 12
const FLAG_QR = 0x8000
const FLAG_TC = 0x0200
const MASK_OPCODE = 0x7800
const MASK_RCODE = 0x000f

/** Asks over UDP from a fresh random port, and over TCP when the answer says that it was cut off (RFC 7766 §5). */
export async function exchange(
  server: ServerAddress,
  query: Uint8Array,
  limits: ExchangeLimits,
): Promise<Uint8Array> {
  const deadline = performance.now() + limits.timeoutMs
  const answer = await exchangeUdp(server, query, limits)
  if ((u16(answer, 2) & FLAG_TC) === 0) return answer
  const timeoutMs = Math.max(1, deadline - performance.now())
  return exchangeTcp(server, query, { ...limits, timeoutMs })
}

function exchangeUdp(server: ServerAddress, query: Uint8Array, limits: ExchangeLimits): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIP(server.address) === 6 ? 'udp6' : 'udp4')
    const timer = setTimeout(
      () => fail('timeout', `no answer within ${Math.round(limits.timeoutMs)} ms`),
      limits.timeoutMs,
    )
    const end = () => {
      clearTimeout(timer)
      socket.close()
    }
    const fail = (failure: ExchangeFailure, reason: string, cause?: unknown) => {
      end()
      reject(new DnsExchangeError(failure, `${formatServerAddress(server)}: ${reason}`, { cause }))
    }
    socket.once('error', (error) => fail('unreachable', error.message, error))
    // RFC 5452 §9.1: what does not match the question may be forged. It is ignored, and the true answer awaited.
    socket.on('message', (message) => {
      if (!answers(query, message)) return
      if (message.length > limits.maxResponseBytes) return fail('too-large', `${message.length} bytes`)
      end()
      resolve(new Uint8Array(message))
    })
    // A connected socket hears this one server only, and learns of ICMP errors.
    socket.connect(server.port, server.address, () => socket.send(query))
  })
}

/** Over TCP the first message decides: the peer is known, so that a mismatch is a broken server. */
export function exchangeTcp(
  server: ServerAddress,
  query: Uint8Array,
  limits: ExchangeLimits,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: server.address, port: server.port, noDelay: true })
    const timer = setTimeout(
      () => fail('timeout', `no answer within ${Math.round(limits.timeoutMs)} ms`),
      limits.timeoutMs,
    )
    const end = () => {
      clearTimeout(timer)
      socket.destroy()
    }
    const fail = (failure: ExchangeFailure, reason: string, cause?: unknown) => {
      end()
      reject(new DnsExchangeError(failure, `${formatServerAddress(server)} over TCP: ${reason}`, { cause }))
    }
    let received: Uint8Array = new Uint8Array(0)
    socket.once('error', (error) => fail('unreachable', error.message, error))
    socket.once('end', () => fail('malformed', 'the connection closed before the answer was complete'))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 2) return
      const length = u16(received, 0)
      if (length > limits.maxResponseBytes) return fail('too-large', `${length} bytes`)
      if (received.length < 2 + length) return
      const message = new Uint8Array(received.subarray(2, 2 + length))
      if (!answers(query, message)) return fail('malformed', 'the answer does not match the question')
      end()
      resolve(message)
    })
    const framed = new Uint8Array(2 + query.length)
    new DataView(framed.buffer).setUint16(0, query.length)
    framed.set(query, 2)
    socket.write(framed)
  })
}

/**
 * Whether a message answers ours: a response with our id, opcode and question (RFC 5452 §9.1). The answer to an
 * UPDATE may leave out the zone section (RFC 2136 §3.8), and so may an error that could not read our question.
 */
function answers(query: Uint8Array, message: Uint8Array): boolean {
  if (message.length < HEADER_BYTES) return false
  if (u16(message, 0) !== u16(query, 0)) return false
  const flags = u16(message, 2)
  if ((flags & FLAG_QR) === 0) return false
  if ((flags & MASK_OPCODE) !== (u16(query, 2) & MASK_OPCODE)) return false
  const isUpdate = (flags & MASK_OPCODE) !== 0
  const rcode = flags & MASK_RCODE
  const isError = rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN
  if (u16(message, 4) === 0) return isUpdate || isError
  return u16(message, 4) === 1 && question(message) === question(query)
}

/** The one question as text, for comparison; `null` when it cannot be read. */
function question(message: Uint8Array): string | null {
  const reader = new WireReader(message, HEADER_BYTES)
  try {
    return `${canonicalName(reader.name())} ${reader.u16()} ${reader.u16()}`
  } catch (error) {
    if (error instanceof DnsWireError) return null
    throw error
  }
}

function u16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!
}
