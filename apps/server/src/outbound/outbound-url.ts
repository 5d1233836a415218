import { isIP } from 'node:net'
import { OutboundError } from './outbound-error.ts'

const MAX_CHARACTERS = 8_192
const HTTPS_PORT = '443'

/**
 * A URL of a stranger that we may ask: https:// or wss://, as `protocol` says, on its own port, a host on the public Internet's DNS, no user, no
 * password. Whether the host's address is allowed is not known yet. Throws `OutboundError('forbidden')`.
 */
export function checkOutboundUrl(
  text: string,
  { anyPort, protocol = 'https:' }: { anyPort: boolean; protocol?: 'https:' | 'wss:' },
): URL {
  // The URL parser drops white space and control characters: what it read would not be what was written.
  if (text.length > MAX_CHARACTERS || !/^[\x21-\x7e]+$/.test(text) || !URL.canParse(text)) {
    throw new OutboundError('forbidden', 'this is not an absolute URL in ASCII')
  }
  const url = new URL(text)
  const host = hostOf(url)
  if (url.protocol !== protocol) throw new OutboundError('forbidden', `${host} is not asked without TLS`)
  if (url.username !== '' || url.password !== '') {
    throw new OutboundError('forbidden', `the URL of ${host} holds a user or a password`)
  }
  // We are no Tor client, and asking the DNS would tell the world who is paid (RFC 7686 §2).
  if (host.endsWith('.onion')) throw new OutboundError('forbidden', `${host} is an onion service`)
  if (!anyPort && url.port !== '' && url.port !== HTTPS_PORT) {
    throw new OutboundError('forbidden', `${host} is not asked at port ${url.port}`)
  }
  if (isIP(host) === 0 && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(host)) {
    throw new OutboundError('forbidden', 'the host of the URL is no host name')
  }
  return url
}

/** Without the brackets of an IPv6 address and the final dot of a name, which names the same host. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
}
