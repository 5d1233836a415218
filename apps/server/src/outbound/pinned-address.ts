import { lookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { OutboundError } from './outbound-error.ts'
import { isLoopback, isPublicAddress } from './public-address.ts'

/** All addresses of a host, as the system resolves it. */
export type Lookup = (host: string) => Promise<readonly string[]>

export const systemLookup: Lookup = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address)

/**
 * The addresses to connect to. They are looked up once and used as they were checked: asked a second time, a hostile
 * DNS could name others. One forbidden address among several forbids them all. Throws `OutboundError`.
 */
export async function pinAddresses(
  host: string,
  { lookup: find, allowLoopback }: { lookup: Lookup; allowLoopback: boolean },
): Promise<readonly string[]> {
  const addresses = isIP(host) === 0 ? await resolved(host, find) : [host]
  if (addresses.length === 0) throw new OutboundError('unreachable', `${host} has no address`)
  const allowed = (address: string) => isPublicAddress(address) || (allowLoopback && isLoopback(address))
  if (!addresses.every(allowed)) {
    throw new OutboundError('forbidden', `${host} has an address that is not on the public Internet`)
  }
  return addresses
}

/** Tells whoever connects these addresses and no others. */
export function lookupOf(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_host, options, callback) => {
    if (options.all) callback(null, all)
    else callback(null, all[0]?.address ?? '', all[0]?.family)
  }
}

async function resolved(host: string, find: Lookup): Promise<readonly string[]> {
  try {
    return await find(host)
  } catch (cause) {
    throw new OutboundError('unreachable', `${host} does not resolve`, { cause })
  }
}
