import { randomUUID } from 'node:crypto'
import { isRefusal, type Refusal, refuse } from '@holdfast/core'
import type { DnsZone } from '@holdfast/core/dns-zone'
import { parseNewName } from '@holdfast/core/names/name'
import { decideName } from '@holdfast/core/names/name-machine'
import type { NameRequest, NameState } from '@holdfast/core/names/name-states'
import type { Hex, Network } from '@holdfast/lightning'
import { type AskNodes, connectedNode } from '../nodes/connected-node.ts'
import type { Transaction } from '../platform/transaction.ts'
import { checkOffer } from './check-offer.ts'
import { keepNew } from './name-saga.ts'
import { countClaims } from './name-store.ts'

export type RegisterDeps = AskNodes & {
  zones: ReadonlyMap<string, DnsZone>
  network: Network
  clock: () => number
  deadlineMs: number
  maxNamesPerOwner: number
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
  if (!deps.zones.has(domain)) return refuse('DOMAIN_UNKNOWN', { domain: domain.slice(0, 80) })
  const name = parseNewName(wish.user, domain)
  if (isRefusal(name)) return name
  const offer = wish.offer === undefined ? undefined : checkOffer(wish.offer, { network: deps.network, now })
  if (isRefusal(offer)) return offer
  const unfit = offer ? null : await whyNodeCannot(deps, owner)
  if (unfit) return unfit
  if ((await countClaims(tx.db, owner)) >= deps.maxNamesPerOwner) {
    return refuse('NAME_LIMIT_REACHED', { limit: deps.maxNamesPerOwner })
  }

  const request: Extract<NameRequest, { kind: 'register' }> = {
    kind: 'register',
    id: randomUUID(),
    ...name,
    owner,
    deadlineAt: now + deps.deadlineMs,
    ...(offer && { offer }),
  }
  const decision = decideName(null, request, now)
  if (isRefusal(decision)) return decision
  return (await keepNew(tx, decision, request, now))
    ? decision.state
    : refuse('NAME_TAKEN', { name: `${name.user}@${domain}` })
}

async function whyNodeCannot(asking: AskNodes, owner: Hex): Promise<Refusal | null> {
  const node = await connectedNode(asking, owner)
  if (isRefusal(node)) return node
  return node.offers === undefined ? refuse('NODE_CANNOT', { capability: 'offers' }) : null
}
