import { dnssecQuery, encodeMessage } from '@holdfast/protocols/dns/message'
import type { DnsQuery } from '@holdfast/protocols/dnssec'
import { encodeBase64 } from '@holdfast/protocols/dnssec/text-encodings'

/** RFC 8484 §6. */
const MEDIA_TYPE = 'application/dns-message'
/** RFC 8484 §4.1: 0 lets caches answer. */
const MESSAGE_ID = 0

/**
 * Asks a DNS over HTTPS service (RFC 8484) with `fetch`, which every browser and Node has. By GET, which browsers send
 * to other origins without asking first, and which caches answer. The service learns which names are asked; it cannot
 * forge an answer.
 */
export function dohQuery(
  url: string | URL,
  options: { fetch?: typeof fetch; timeoutMs?: number } = {},
): DnsQuery {
  const { fetch: send = fetch, timeoutMs = 10_000 } = options
  return async (name, type) => {
    const asking = new URL(url)
    asking.searchParams.set('dns', base64Url(encodeMessage(dnssecQuery(MESSAGE_ID, name, type))))
    const response = await send(asking, {
      headers: { accept: MEDIA_TYPE },
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (!response.ok) throw new Error(`${asking.origin} answers ${response.status}`)
    return new Uint8Array(await response.arrayBuffer())
  }
}

/** RFC 4648 §5, without padding (RFC 8484 §6). */
function base64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
