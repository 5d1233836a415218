import { randomUUID } from 'node:crypto'
import { type Refusal, refuse } from '@holdfast/core'
import type { DomainState } from '@holdfast/core/domains/domain-states'
import type { Hex } from '@holdfast/lightning'
import { DOMAIN } from '../platform/config-dns-values.ts'
import type { Transaction } from '../platform/transaction.ts'
import { newChallenge, newLabel } from './domain-challenge.ts'
import { claimDomain } from './domain-saga.ts'
import { findOwnDomain, listOwnDomains, lockOwner } from './domain-store.ts'

export type ClaimDeps = {
  /** The domains of ours. */
  readonly configured: readonly string[]
  /** The one of ours below which the names of others live. */
  readonly host: string
  readonly clock: () => number
  readonly maxDomainsPerOwner: number
}

/** Claims a domain for its owner-to-be; asked again, it answers the claim that is there. */
export async function claimOwnDomain(
  { configured, host, clock, maxDomainsPerOwner }: ClaimDeps,
  tx: Transaction,
  owner: Hex,
  text: string,
): Promise<DomainState | Refusal> {
  const domain = text.toLowerCase().replace(/\.$/, '')
  const isOurs = configured.some((ours) => domain === ours || domain.endsWith(`.${ours}`))
  if (!DOMAIN.test(domain) || isOurs) return refuse('DOMAIN_INVALID', { domain: text.slice(0, 80) })
  await lockOwner(tx.db, owner)
  const known = await findOwnDomain(tx.db, { owner, domain })
  if (known) return known
  if ((await listOwnDomains(tx.db, owner)).length >= maxDomainsPerOwner) {
    return refuse('DOMAIN_LIMIT_REACHED', { limit: maxDomainsPerOwner })
  }
  const ids = { id: randomUUID(), challenge: newChallenge(), label: newLabel() }
  return claimDomain(tx, { kind: 'claim', domain, owner, host, ...ids }, clock())
}
