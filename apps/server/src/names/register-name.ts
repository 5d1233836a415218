import { randomUUID } from 'node:crypto'
import { isRefusal, type Refusal, refuse } from '@holdfast/core'
import { parseNewName, WILDCARD, wildcardOf } from '@holdfast/core/names/name'
import type { NameRequest } from '@holdfast/core/names/name-commands'
import { decideName } from '@holdfast/core/names/name-machine'
import type { NameState, ReadyOffer } from '@holdfast/core/names/name-states'
import type { Hex, Network } from '@holdfast/lightning'
import type { Kysely } from 'kysely'
import type { Zones } from '../dns/zones.ts'
import { type AskNodes, connectedNode } from '../nodes/connected-node.ts'
import type { Database } from '../platform/database.ts'
import type { Transaction } from '../platform/transaction.ts'
import { checkOffer } from './check-offer.ts'
import type { NameRules } from './name-rules.ts'
import { keepNew } from './name-saga.ts'
import { countClaims, isShared } from './name-store.ts'

/**
 * Some domains are open to everybody, others to their owner only. What it reads it reads by `db`, the transaction's: who
 * holds a connection and waits for another one may wait for ever.
 */
export type MayRegister = (domain: string, by: Hex, db: Kysely<Database>) => Promise<Refusal | null>
/** The only key that may register names in the domain; null: there is no such key. `db` as for `MayRegister`. */
export type SoleOwnerOf = (domain: string, db: Kysely<Database>) => Promise<Hex | null>

export type RegisterDeps = AskNodes & {
  zones: Zones
  mayRegister?: MayRegister
  /** Default: nowhere is there one. */
  soleOwnerOf?: SoleOwnerOf
  network: Network
  clock: () => number
  rules: NameRules
}

export type Wish = {
  user: string
  domain: string
  /** Made on the owner's own device. Absent: the owner's node makes one. */
  offer?: string | undefined
}

/** Claims a name and starts its registration; all in the caller's transaction. */
export async function registerName(
  deps: RegisterDeps,
  tx: Transaction,
  owner: Hex,
  wish: Wish,
): Promise<NameState | Refusal> {
  const now = deps.clock()
  const domain = wish.domain.toLowerCase()
  const barred = await deps.mayRegister?.(domain, owner, tx.db)
  if (barred) return barred
  if (!deps.zones.has(domain)) return refuse('DOMAIN_UNKNOWN', { domain: domain.slice(0, 80) })
  const isWildcard = wish.user === WILDCARD
  const name = isWildcard ? wildcardOf(domain) : parseNewName(wish.user, domain, deps.rules.reservedWords)
  if (isRefusal(name)) return name
  const barredHere = isWildcard ? await whyNoWildcard(deps, tx, { domain, owner, now }) : null
  if (barredHere) return barredHere
  const offer = await offerToUse(deps, owner, wish.offer, { tellsPayees: isWildcard })
  if (isRefusal(offer)) return offer

  const { deadlineMs, quarantineMs, maxNamesPerOwner: most } = deps.rules
  const request: Extract<NameRequest, { kind: 'register' }> = {
    kind: 'register',
    jobId: randomUUID(),
    by: owner,
    ...name,
    quarantineMs,
    deadlineAt: now + deadlineMs,
    ...(offer && { offer }),
  }
  const decision = decideName(null, request, now)
  if (isRefusal(decision)) return decision
  const claimed = await keepNew(tx, decision, request, { now, most })
  switch (claimed.outcome) {
    case 'too-many':
      return refuse('NAME_LIMIT_REACHED', { limit: most })
    case 'covered':
      return refuse('NAME_COVERED', { domain })
    case 'taken':
      return refuse('NAME_TAKEN', { name: `${name.user}@${domain}` })
    case 'claimed': {
      const { quarantine } = claimed
      return quarantine && quarantine.owner !== owner && quarantine.until > now
        ? refuse('NAME_QUARANTINED', { until: quarantine.until })
        : decision.state
    }
  }
}

/**
 * A wildcard is paid in the place of every name that has no record: so it is its domain's only owner's, and nobody else
 * may have names there, nor have had them so lately that payers still know them.
 */
async function whyNoWildcard(
  { soleOwnerOf = async () => null }: RegisterDeps,
  { db }: Transaction,
  { domain, owner, now }: { domain: string; owner: Hex; now: number },
): Promise<Refusal | null> {
  if ((await soleOwnerOf(domain, db)) !== owner) return refuse('WILDCARD_NOT_YOURS', { domain })
  return (await isShared(db, { domain, owner, now })) ? refuse('DOMAIN_SHARED', { domain }) : null
}

/** The offer that was brought, checked; undefined when the owner's node is to make one, and can. */
export async function offerToUse(
  deps: AskNodes & { network: Network; clock: () => number },
  owner: Hex,
  brought: string | undefined,
  { tellsPayees }: { tellsPayees: boolean },
): Promise<ReadyOffer | undefined | Refusal> {
  if (brought !== undefined) return checkOffer(brought, { network: deps.network, now: deps.clock() })
  const node = await connectedNode(deps, owner)
  if (isRefusal(node)) return node
  if (node.offers === undefined) return refuse('NODE_CANNOT', { capability: 'offers' })
  return tellsPayees && !node.capabilities.has('payees')
    ? refuse('NODE_CANNOT', { capability: 'payees' })
    : undefined
}

/** Whether another name would be one too many; until the transaction ends the owner's other requests wait. */
export async function ownsTooMany(
  { rules }: Pick<RegisterDeps, 'rules'>,
  tx: Transaction,
  owner: Hex,
): Promise<Refusal | null> {
  const limit = rules.maxNamesPerOwner
  return (await countClaims(tx.db, owner)) >= limit ? refuse('NAME_LIMIT_REACHED', { limit }) : null
}
