import { BlockList, isIP } from 'node:net'

/**
 * IPv4 that is not the public Internet: everything in IANA's special-purpose registry (RFC 6890) that is not globally
 * reachable, and multicast.
 */
const NOT_PUBLIC_V4 = [
  ['0.0.0.0', 8], // this host (RFC 791)
  ['10.0.0.0', 8], // private (RFC 1918)
  ['100.64.0.0', 10], // carrier-grade NAT (RFC 6598)
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local, where clouds keep their metadata (RFC 3927)
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments, NAT64 discovery among them (RFC 6890, RFC 7050)
  ['192.0.2.0', 24], // documentation (RFC 5737)
  ['192.88.99.0', 24], // 6to4 relays (RFC 7526)
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks (RFC 2544)
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, broadcast
] as const

/**
 * Of IPv6 only global unicast is public; loopback, unique local, link-local, multicast, IPv4-mapped and NAT64 addresses
 * (RFC 6052: 64:ff9b::/96, 64:ff9b:1::/48) all lie outside of it.
 */
const GLOBAL_UNICAST_V6 = ['2000::', 3] as const

const NOT_PUBLIC_V6 = [
  ['2001::', 23], // protocol assignments: Teredo, which carries IPv4 addresses, benchmarks, ORCHID
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4, which carries IPv4 addresses (RFC 3056)
  ['3fff::', 20], // documentation (RFC 9637)
] as const

const notPublic = new BlockList()
for (const [network, prefix] of NOT_PUBLIC_V4) notPublic.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of NOT_PUBLIC_V6) notPublic.addSubnet(network, prefix, 'ipv6')

const globalUnicast = new BlockList()
globalUnicast.addSubnet(...GLOBAL_UNICAST_V6, 'ipv6')

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Whether it is an address of a stranger on the public Internet, rather than of us or of our network. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !notPublic.check(address, 'ipv4')
    case 6:
      // With a zone it belongs to one link, whatever it looks like (RFC 4007 §11.2).
      return (
        !address.includes('%') && globalUnicast.check(address, 'ipv6') && !notPublic.check(address, 'ipv6')
      )
    default:
      return false
  }
}

export function isLoopback(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6')
}
