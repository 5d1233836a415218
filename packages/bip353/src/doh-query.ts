import { dnssecQuery, encodeMessage } from '@holdfast/protocols/dns/message'
import type { DnsQuery } from '@holdfast/protocols/dnssec'

/** RFC 8484 §6. */
const MEDIA_TYPE = 'application/dns-message'
/** RFC 8484 §4.1: 0 lets caches answer. */
const MESSAGE_ID = 0

/**
 * Asks a DNS over HTTPS service (RFC 8484) with `fetch`, which every browser and Node has. The service learns which
 * names are asked; it cannot forge an answer.
 */
export function dohQuery(
  url: string | URL,
  options: { fetch?: typeof fetch; timeoutMs?: number } = {},
): DnsQuery {
  const { fetch: send = fetch, timeoutMs = 10_000 } = options
  return async (name, type) => {
    const response = await send(url, {
      method: 'POST',
      headers: { 'content-type': MEDIA_TYPE, accept: MEDIA_TYPE },
      body: Uint8Array.from(encodeMessage(dnssecQuery(MESSAGE_ID, name, type))),
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (!response.ok) throw new Error(`${url} answers ${response.status}`)
    return new Uint8Array(await response.arrayBuffer())
  }
}
