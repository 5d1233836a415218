import { parseSafeUrl } from '../../platform/safe-url.ts'
import { parseServerAddress, type ServerAddress } from '../server-address.ts'

/** A validating resolver of others, and how it is asked. */
export type ResolverEndpoint =
  /** UDP, and TCP for what is cut off. */
  | { readonly via: 'udp'; readonly text: string; readonly address: ServerAddress }
  | { readonly via: 'tcp'; readonly text: string; readonly address: ServerAddress }
  /** DNS over HTTPS (RFC 8484). */
  | { readonly via: 'https'; readonly text: string; readonly url: URL }

/**
 * Reads `192.0.2.1`, `udp://192.0.2.1:53`, `tcp://[2001:db8::1]`, or `https://dns.example/dns-query`. Plain `http://` is
 * for a resolver on this machine only. Throws `TypeError`.
 */
export function parseResolverEndpoint(text: string): ResolverEndpoint {
  const [, scheme = 'udp', rest = ''] = /^(?:(udp|tcp):\/\/)?(.*)$/s.exec(text) ?? []
  if (!/^https?:/.test(rest)) return { via: scheme as 'udp' | 'tcp', text, address: parseServerAddress(rest) }
  const url = rest === text ? parseSafeUrl(text) : null
  if (!url) throw new TypeError(`not the address of a resolver: ${JSON.stringify(text)}`)
  return { via: 'https', text, url }
}
