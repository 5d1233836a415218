import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { OutboundError } from './outbound-error.ts'
import { isLoopback, isPublicAddress } from './public-address.ts'

/** All addresses of a host, as the system resolves it. */
export type Lookup = (host: string) => Promise<readonly string[]>

export const systemLookup: Lookup = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address)

/**
 * The address to connect to. It is looked up once and used as it was checked: asked a second time, a hostile DNS could
 * name another. One forbidden address among several forbids them all. Throws `OutboundError`.
 */
export async function pinAddress(
  host: string,
  { lookup: find, allowLoopback }: { lookup: Lookup; allowLoopback: boolean },
): Promise<string> {
  const addresses = isIP(host) === 0 ? await resolved(host, find) : [host]
  const [first] = addresses
  if (first === undefined) throw new OutboundError('unreachable', `${host} has no address`)
  const allowed = (address: string) => isPublicAddress(address) || (allowLoopback && isLoopback(address))
  if (!addresses.every(allowed)) {
    throw new OutboundError('forbidden', `${host} has an address that is not on the public Internet`)
  }
  return first
}

async function resolved(host: string, find: Lookup): Promise<readonly string[]> {
  try {
    return await find(host)
  } catch (cause) {
    throw new OutboundError('unreachable', `${host} does not resolve`, { cause })
  }
}
