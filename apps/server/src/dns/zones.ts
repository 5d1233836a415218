import type { DnsZone } from '@holdfast/core/dns-zone'

/** The zones that we write to, by domain in lower case; `keys` lists those in which everybody may register. */
export type Zones = Pick<ReadonlyMap<string, DnsZone>, 'get' | 'has' | 'keys'>
