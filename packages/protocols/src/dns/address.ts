import { DnsWireError } from './wire-error.ts'

/** `192.0.2.1` as the four bytes of an A record. */
export function encodeIpv4(text: string): Uint8Array {
  const parts = text.split('.')
  const bytes = parts.map(Number)
  if (
    parts.length !== 4 ||
    parts.some((part) => !/^(0|[1-9][0-9]{0,2})$/.test(part)) ||
    bytes.some((b) => b > 255)
  ) {
    throw new DnsWireError('bad-rdata', `${text} is no IPv4 address`)
  }
  return Uint8Array.from(bytes)
}

export function decodeIpv4(rdata: Uint8Array): string {
  if (rdata.length !== 4) throw new DnsWireError('bad-rdata', 'an A record has 4 bytes')
  return rdata.join('.')
}

/** `2001:db8::1` as the sixteen bytes of an AAAA record (RFC 4291 §2.2, without the dotted-quad form). */
export function encodeIpv6(text: string): Uint8Array {
  const wrong = new DnsWireError('bad-rdata', `${text} is no IPv6 address`)
  const halves = text.split('::')
  if (halves.length > 2) throw wrong
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')))
  const [head = [], tail = []] = groups
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) throw wrong
  const all = [...head, ...Array.from({ length: missing }, () => '0'), ...tail]
  if (all.some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) throw wrong
  return Uint8Array.from(all.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]))
}

/** Eight groups, without the `::` abbreviation. */
export function decodeIpv6(rdata: Uint8Array): string {
  if (rdata.length !== 16) throw new DnsWireError('bad-rdata', 'an AAAA record has 16 bytes')
  return Array.from({ length: 8 }, (_, i) => ((rdata[2 * i]! << 8) | rdata[2 * i + 1]!).toString(16)).join(
    ':',
  )
}
