import { randomInt } from 'node:crypto'
import { createConnection } from 'node:net'
import { DnsZoneError } from '@holdfast/core/dns-zone'
import { CLASS, RCODE, rcodeName, TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage, encodeMessage, NO_FLAGS, type ResourceRecord } from '@holdfast/protocols/dns/message'
import { sameName } from '@holdfast/protocols/dns/names'
import { DnsWireError } from '@holdfast/protocols/dns/wire-error'
import { DnsExchangeError } from './dns-exchange.ts'
import { formatServerAddress, type ServerAddress } from './server-address.ts'
import { signRequest, type TsigKey, type TsigVerdict, verifyStream } from './tsig.ts'

export type TransferOptions = {
  readonly server: ServerAddress
  readonly key: TsigKey
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** The longest silence of the server. */
  readonly timeoutMs: number
}

/**
 * All records of a zone by AXFR (RFC 5936) over TCP, signed with TSIG; nothing is answered before its signature was
 * checked. Throws `DnsZoneError`; `not-authorized` when the server refuses to transfer the zone with this key.
 */
export async function* transferZone(
  domain: string,
  options: TransferOptions,
): AsyncGenerator<ResourceRecord> {
  const { server, key, now } = options
  const request = signRequest(axfrQuery(domain), key, now())
  const verify = verifyStream(request, key, now)
  const told = { soas: 0 }
  let unproven: ResourceRecord[] = []
  try {
    for await (const wire of messages(server, request.wire, options.timeoutMs)) {
      const message = decodeMessage(wire)
      const verdict = verify(wire)
      if (verdict !== 'pending' && !verdict.ok) throw unprovenAnswer(domain, verdict, message.rcode)
      if (message.rcode !== RCODE.NOERROR) throw refusedTransfer(domain, message.rcode)
      unproven.push(...message.answer)
      if (verdict === 'pending') continue
      for (const record of unproven) {
        // RFC 5936 §2.2: the SOA comes first and, once more, last.
        if (record.type === TYPE.SOA && sameName(record.name, domain)) told.soas++
        else if (told.soas !== 1) throw broken(domain, 'records outside of the two SOA records')
        else yield record
      }
      if (told.soas >= 2) return
      unproven = []
    }
  } catch (error) {
    if (error instanceof DnsExchangeError || error instanceof DnsWireError)
      throw new DnsZoneError('unavailable', `${domain} cannot be listed: ${error.message}`, { cause: error })
    throw error
  }
  throw broken(domain, 'the connection closed before the last SOA')
}

function axfrQuery(domain: string): Uint8Array {
  return encodeMessage({
    id: randomInt(0x1_0000),
    opcode: 0,
    rcode: 0,
    flags: NO_FLAGS,
    question: [{ name: domain, type: TYPE.AXFR, class: CLASS.IN }],
    answer: [],
    authority: [],
    additional: [],
  })
}

function unprovenAnswer(
  domain: string,
  verdict: Extract<TsigVerdict, { ok: false }>,
  rcode: number,
): DnsZoneError {
  // Refusals often come unsigned; what they say is only that nothing was listed.
  const refused = rcode === RCODE.NOERROR ? null : refusedTransfer(domain, rcode)
  if (verdict.failure === 'bad-mac') return broken(domain, verdict.detail)
  if (verdict.failure === 'unsigned') return refused ?? broken(domain, verdict.detail)
  return new DnsZoneError('not-authorized', `${domain} cannot be listed: ${verdict.detail}`)
}

function refusedTransfer(domain: string, rcode: number): DnsZoneError {
  const code =
    rcode === RCODE.REFUSED || rcode === RCODE.NOTAUTH || rcode === RCODE.NOTIMP
      ? 'not-authorized'
      : 'unavailable'
  const hint = code === 'not-authorized' ? ': allow zone transfer (AXFR) for the update key' : ''
  return new DnsZoneError(code, `${domain} cannot be listed: the server answers ${rcodeName(rcode)}${hint}`)
}

function broken(domain: string, what: string): DnsZoneError {
  return new DnsZoneError('unavailable', `${domain} cannot be listed: ${what}`)
}

/** The messages that come over one TCP connection, until the server closes it or falls silent. */
async function* messages(
  server: ServerAddress,
  request: Uint8Array,
  timeoutMs: number,
): AsyncGenerator<Uint8Array> {
  const fail = (failure: 'timeout' | 'unreachable', reason: string, cause?: unknown) =>
    new DnsExchangeError(failure, `${formatServerAddress(server)} over TCP: ${reason}`, { cause })
  const socket = createConnection({ host: server.address, port: server.port, noDelay: true })
  socket.setTimeout(timeoutMs, () => socket.destroy(fail('timeout', `silent for ${timeoutMs} ms`)))
  const framed = new Uint8Array(2 + request.length)
  new DataView(framed.buffer).setUint16(0, request.length)
  framed.set(request, 2)
  socket.write(framed)
  let received = Buffer.alloc(0)
  try {
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk as Buffer])
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0)
        yield new Uint8Array(received.subarray(2, end))
        received = received.subarray(end)
      }
    }
  } catch (error) {
    if (error instanceof DnsExchangeError || !(error instanceof Error) || !('syscall' in error)) throw error
    throw fail('unreachable', error.message, error)
  } finally {
    socket.destroy()
  }
}
