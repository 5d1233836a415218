import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { isIP } from 'node:net'
import { OutboundError } from './outbound-error.ts'
import { checkOutboundUrl, hostOf } from './outbound-url.ts'
import { type Lookup, lookupOf, pinAddresses, systemLookup } from './pinned-address.ts'

/**
 * Asks servers that strangers name, and nobody else: only https:// to hosts whose every address is on the public
 * Internet, connected to at the very address that was checked, with the host's name in SNI, certificate check and Host
 * header. What comes back is bounded in size and time. Nothing of ours goes along: no cookie, no credential, no proxy.
 */
export type Outbound = {
  /** The JSON value that the URL answers with status 200. Throws `OutboundError`. */
  getJson(url: string): Promise<unknown>
}

export type OutboundOptions = {
  /** Loopback may be asked, at any port: for tests and for a devnet on one machine only. Default false. */
  readonly allowLoopback?: boolean
  readonly lookup?: Lookup
  /** Certificates to trust instead of the system's. */
  readonly ca?: string
  /** For all of it, redirects included. Default 10 s. */
  readonly timeoutMs?: number
  /** Of a body. Default 512 KiB: an LNURL's metadata may hold a picture. */
  readonly maxBytes?: number
}

const MAX_REDIRECTS = 2
const REDIRECTS = new Set([301, 302, 303, 307, 308])

export function makeOutbound(options: OutboundOptions = {}): Outbound {
  const { allowLoopback = false, lookup = systemLookup, timeoutMs = 10_000, maxBytes = 512 * 1024 } = options
  // A connection of its own for each request: one that was kept would be to an address that nobody checked again.
  const agent = new Agent({ keepAlive: false, ...(options.ca !== undefined && { ca: options.ca }) })

  const ask = async (url: URL, signal: AbortSignal): Promise<IncomingMessage> => {
    const host = hostOf(url)
    const addresses = await orLate(pinAddresses(host, { lookup, allowLoopback }), signal)
    return new Promise((resolve, reject) => {
      const sent = request(
        url,
        {
          agent,
          signal,
          lookup: lookupOf(addresses),
          headers: { accept: 'application/json', 'user-agent': 'holdfast' },
          // RFC 6066 §3: SNI holds names, without a final dot; an address stands in the certificate itself.
          ...(isIP(host) === 0 && { servername: host }),
        },
        resolve,
      )
      sent.on('error', reject)
      sent.end()
    })
  }

  return {
    async getJson(text) {
      const late = AbortSignal.timeout(timeoutMs)
      let url = checkOutboundUrl(text, { anyPort: allowLoopback })
      for (let redirects = 0; ; redirects++) {
        const host = hostOf(url)
        try {
          const answer = await ask(url, late)
          const elsewhere = redirectOf(answer, url)
          if (elsewhere === null) return await readJson(answer, host, maxBytes)
          answer.destroy()
          if (redirects === MAX_REDIRECTS) throw new OutboundError('unusable', `${host} redirects too often`)
          url = checkOutboundUrl(elsewhere, { anyPort: allowLoopback })
        } catch (error) {
          if (error instanceof OutboundError) throw error
          if (late.aborted) throw new OutboundError('too-slow', `${host} takes too long`, { cause: error })
          throw new OutboundError('unreachable', `${host} cannot be asked`, { cause: error })
        }
      }
    },
  }
}

function redirectOf({ statusCode = 0, headers }: IncomingMessage, from: URL): string | null {
  const { location } = headers
  if (!REDIRECTS.has(statusCode) || location === undefined) return null
  if (!URL.canParse(location, from.href)) {
    throw new OutboundError('unusable', `${hostOf(from)} redirects to nowhere`)
  }
  return new URL(location, from.href).href
}

async function readJson(answer: IncomingMessage, host: string, maxBytes: number): Promise<unknown> {
  const { statusCode = 0, headers } = answer
  // We asked for none: a small body that grows when unpacked is an old trick.
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity') {
    answer.destroy()
    throw new OutboundError('unusable', `${host} encodes its answer as nobody asked it to`)
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) {
      answer.destroy()
      throw new OutboundError('too-large', `${host} answers more than ${maxBytes} bytes`)
    }
    chunks.push(chunk)
  }
  if (statusCode !== 200) {
    throw new OutboundError('unusable', `${host} answers with status ${statusCode}`, { status: statusCode })
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)))
  } catch (cause) {
    throw new OutboundError('unusable', `${host} does not answer JSON`, { cause })
  }
}

/** The value, unless the signal is aborted before. */
async function orLate<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  return Promise.race([work, late])
}
