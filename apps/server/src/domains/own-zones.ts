import { type Refusal, refuse } from '@holdfast/core'
import type { DnsZone } from '@holdfast/core/dns-zone'
import type { DomainState } from '@holdfast/core/domains/domain-states'
import type { Hex } from '@holdfast/lightning'
import type { Zones } from '../dns/zones.ts'
import type { Delegations } from './delegation.ts'
import { makeHostedZone } from './hosted-zone.ts'
import { makeTwinZone } from './twin-zone.ts'

export type OwnZones = {
  /** The zones of ours, and those of merchants' domains; only ours are listed. */
  readonly zones: Zones
  /** Why this key may not register names in the domain; null: it may, if the domain is known. */
  mayRegister(domain: string, by: Hex): Refusal | null
  /** Where the names of a claim live, or lived; undefined: nowhere that we write to. */
  zoneOf(state: DomainState): DnsZone | undefined
  /** Takes over what is proven now. */
  set(proven: readonly DomainState[]): void
}

/** The domains of merchants beside ours. Each process has its own, made from the database. */
export function makeOwnZones(ours: ReadonlyMap<string, DnsZone>, delegated: Delegations): OwnZones {
  let own = new Map<string, { state: DomainState; zone: DnsZone }>()
  const zoneOf = (state: DomainState): DnsZone | undefined => {
    const host = ours.get(state.host)
    const hosted = host && makeHostedZone(state, host)
    const names = delegated.get(state.domain)?.zone
    if (!hosted || !names) return hosted ?? names
    const isDelegated = 'aliases' in state && state.aliases === 'delegated'
    return isDelegated ? makeTwinZone(names, hosted) : makeTwinZone(hosted, names)
  }
  return {
    zones: {
      get: (domain) => ours.get(domain) ?? own.get(domain)?.zone,
      has: (domain) => ours.has(domain) || own.has(domain),
      keys: () => ours.keys(),
    },
    mayRegister(domain, by) {
      const known = ours.has(domain) ? undefined : own.get(domain)
      if (!known) return null
      if (known.state.owner !== by) return refuse('FORBIDDEN')
      return known.state.phase === 'active' ? null : refuse('DOMAIN_NOT_VERIFIED', { domain })
    },
    zoneOf,
    set(proven) {
      own = new Map(
        proven.flatMap((state) => {
          const zone = zoneOf(state)
          return zone ? [[state.domain, { state, zone }] as const] : []
        }),
      )
    },
  }
}
