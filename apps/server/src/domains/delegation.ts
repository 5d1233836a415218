import type { DnsZone } from '@holdfast/core/dns-zone'

/** The zone `user._bitcoin-payment.<domain>` at a provider of ours, to which a merchant delegates by NS and DS. */
export type Delegation = {
  readonly zone: DnsZone
  /** Host names for the NS records. */
  readonly nameServers: readonly string[]
}

/** By the merchant's domain. */
export type Delegations = ReadonlyMap<string, Delegation>
