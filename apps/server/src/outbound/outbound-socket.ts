import { isIP } from 'node:net'
import { WebSocket } from 'ws'
import { OutboundError } from './outbound-error.ts'
import type { OutboundOptions } from './outbound-https.ts'
import { checkOutboundUrl, hostOf } from './outbound-url.ts'
import { lookupOf, pinAddresses, systemLookup } from './pinned-address.ts'

/** A WebSocket to a stranger's server. */
export type OutboundSocket = {
  readonly host: string
  send(text: string): void
  /** Ends when the connection does; throws when it broke. To be read once. */
  readonly messages: AsyncIterable<string>
  close(): void
}

/** The same rules as `Outbound`: wss:// to public addresses that were checked, no redirects, bounded messages. */
export type OutboundSockets = {
  /** Throws `OutboundError`. The abort ends the connection, whether it is open by then or not. */
  open(url: string, signal: AbortSignal): Promise<OutboundSocket>
}

export function makeOutboundSockets(options: Omit<OutboundOptions, 'timeoutMs'> = {}): OutboundSockets {
  const { allowLoopback = false, lookup = systemLookup, maxBytes = 512 * 1024 } = options
  return {
    async open(text, signal) {
      const url = checkOutboundUrl(text, { anyPort: allowLoopback, protocol: 'wss:' })
      const host = hostOf(url)
      const addresses = await pinAddresses(host, { lookup, allowLoopback })
      const socket = new WebSocket(url, {
        lookup: lookupOf(addresses),
        maxPayload: maxBytes,
        followRedirects: false,
        perMessageDeflate: false,
        headers: { 'user-agent': 'holdfast' },
        ...(options.ca !== undefined && { ca: options.ca }),
        // RFC 6066 §3: SNI holds names, without a final dot.
        ...(isIP(host) === 0 && { servername: host }),
      })
      const messages = messagesOf(socket)
      if (signal.aborted) socket.terminate()
      signal.addEventListener('abort', () => socket.terminate(), { once: true })
      await new Promise<void>((resolve, reject) => {
        socket.once('open', resolve)
        socket.once('error', (cause) =>
          reject(
            signal.aborted
              ? new OutboundError('too-slow', `${host} takes too long`, { cause })
              : new OutboundError('unreachable', `${host} cannot be asked`, { cause }),
          ),
        )
      })
      return {
        host,
        send: (message) => socket.send(message),
        messages,
        close: () => socket.terminate(),
      }
    },
  }
}

/** Listens from the start, so that nothing is missed and an error always has a listener. */
function messagesOf(socket: WebSocket): AsyncIterable<string> {
  const waiting: string[] = []
  let ended: { error: Error | null } | null = null
  let wake: () => void = () => undefined
  socket.on('message', (data, isBinary) => {
    if (!isBinary) waiting.push(String(data))
    wake()
  })
  socket.on('error', (error) => {
    ended ??= { error }
    wake()
  })
  socket.on('close', () => {
    ended ??= { error: null }
    wake()
  })
  return {
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const text = waiting.shift()
        if (text !== undefined) yield text
        else if (ended?.error) throw ended.error
        else if (ended) return
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    },
  }
}
