import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { DnsExchangeError, type ExchangeFailure, type ExchangeLimits } from '../dns-exchange.ts'

export type DohExchange = {
  /** Sends a query and answers the message that came back; throws `DnsExchangeError`. */
  exchange(query: Uint8Array, limits: ExchangeLimits): Promise<Uint8Array>
  close(): void
}

/** RFC 8484 §6. */
const MEDIA_TYPE = 'application/dns-message'
const IDLE_MS = 10_000

/** DNS over HTTPS by POST (RFC 8484 §4.1) over HTTP/2, which §5.2 asks for; one connection for queries that follow. */
export function makeDohExchange(url: URL, options: { ca?: string } = {}): DohExchange {
  let session: ClientHttp2Session | null = null

  return {
    exchange: (query, limits) => post(open(), query, limits),
    close: () => session?.destroy(),
  }

  function open(): ClientHttp2Session {
    if (session && !session.closed && !session.destroyed) return session
    const opened = connect(url.origin, options)
    const forget = () => {
      if (session === opened) session = null
    }
    // The streams that wait hear of it as well.
    opened.on('error', forget).on('close', forget).on('goaway', forget)
    opened.setTimeout(IDLE_MS, () => opened.destroy())
    opened.unref()
    session = opened
    return opened
  }

  function post(over: ClientHttp2Session, query: Uint8Array, limits: ExchangeLimits): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const stream = over.request({
        ':method': 'POST',
        ':path': `${url.pathname}${url.search}`,
        'content-type': MEDIA_TYPE,
        'content-length': query.length,
        accept: MEDIA_TYPE,
      })
      const fail = (failure: ExchangeFailure, reason: string, cause?: unknown) => {
        clearTimeout(timer)
        reject(new DnsExchangeError(failure, `${url.href}: ${reason}`, { cause }))
        stream.close(constants.NGHTTP2_CANCEL)
      }
      const timer = setTimeout(() => {
        fail('timeout', `no answer within ${Math.round(limits.timeoutMs)} ms`)
        // The connection may be dead, or only this query: the next one makes another, the others end on this.
        if (session === over) session = null
        over.close()
      }, limits.timeoutMs)
      const parts: Buffer[] = []
      let length = 0
      stream.on('error', (error) => fail('unreachable', reasonOf(error), error))
      stream.on('response', (headers) => {
        const status = headers[':status']
        if (status !== 200) return fail('malformed', `HTTP ${status}`)
        const type = String(headers['content-type'] ?? '').split(';')[0]
        if (type?.trim().toLowerCase() !== MEDIA_TYPE) fail('malformed', `${type} is no DNS message`)
      })
      stream.on('data', (part: Buffer) => {
        parts.push(part)
        length += part.length
        if (length > limits.maxResponseBytes) fail('too-large', `more than ${limits.maxResponseBytes} bytes`)
      })
      let isWhole = false
      stream.on('end', () => {
        isWhole = true
      })
      // Also a stream that is reset has an end; only its code tells. What was settled before stays.
      stream.on('close', () => {
        clearTimeout(timer)
        if (isWhole && stream.rstCode === constants.NGHTTP2_NO_ERROR) {
          resolve(new Uint8Array(Buffer.concat(parts)))
        } else fail('unreachable', 'the connection closed before the answer was complete')
      })
      stream.end(query)
    })
  }
}

/** Several addresses that all fail come as one error without a message. */
function reasonOf(error: Error & { code?: string }): string {
  return error.message || (error.code ?? error.name)
}
