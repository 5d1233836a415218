import { randomUUID } from 'node:crypto'
import { isRefusal, type Refusal, refuse } from '@holdfast/core'
import { type NewName, readName, WILDCARD, wildcardOf } from '@holdfast/core/names/name'
import type { NameRequest } from '@holdfast/core/names/name-commands'
import type { NameState } from '@holdfast/core/names/name-states'
import type { Hex } from '@holdfast/lightning'
import type { Kysely } from 'kysely'
import type { Database } from '../platform/database.ts'
import type { Transaction } from '../platform/transaction.ts'
import { request } from './name-saga.ts'
import { findAnswering, findClaim, lockName } from './name-store.ts'
import { offerToUse, ownsTooMany, type RegisterDeps } from './register-name.ts'

export type ChangeDeps = RegisterDeps & {
  /** Nostr public keys that may suspend and resume names. */
  operators: ReadonlySet<Hex>
}

/** Who asks for what, in whose transaction, about which name (`user@domain`, with or without ₿). */
export type Asking = { tx: Transaction; by: Hex; name: string }

export type OfferWish = { readonly offer?: string | undefined }
type Outcome = Promise<NameState | Refusal>

/** Another offer takes the place of the live one; the old one is disabled once the new one is live. */
export async function changeOffer(deps: ChangeDeps, asking: Asking, wish: OfferWish): Outcome {
  const { by } = asking
  const claim = await findByText(asking.tx.db, asking.name)
  if (claim === null) return refuse('NAME_NOT_FOUND')
  if (claim.owner !== by) return refuse('FORBIDDEN')
  const begun = await beginWithOffer(deps, by, wish, claim)
  return isRefusal(begun) ? begun : askAbout(deps, asking, { kind: 'change-offer', by, ...begun })
}

/** The owner proposes to give the name to another key, which has until then to accept. A later one replaces it. */
export async function proposeTransfer(deps: ChangeDeps, asking: Asking, wish: { to: Hex }): Outcome {
  const { tx, by } = asking
  const stays = await whyItStays(tx.db, asking.name)
  const until = deps.clock() + deps.rules.transferMs
  return stays ?? askAbout(deps, asking, { kind: 'propose-transfer', by, to: wish.to, until })
}

export async function cancelTransfer(deps: ChangeDeps, asking: Asking): Outcome {
  return askAbout(deps, asking, { kind: 'cancel-transfer', by: asking.by })
}

/** The other key takes the name over, with an offer of its own; it is the owner once that is live. */
export async function acceptTransfer(deps: ChangeDeps, asking: Asking, wish: OfferWish): Outcome {
  const { tx, by } = asking
  const claim = await findByText(tx.db, asking.name)
  if (claim === null) return refuse('NAME_NOT_FOUND')
  if (claim.transfer?.to !== by) return refuse('TRANSFER_NOT_PROPOSED')
  const stays = await whyItStays(tx.db, asking.name)
  if (stays) return stays
  const begun = await beginWithOffer(deps, by, wish, claim)
  if (isRefusal(begun)) return begun
  const tooMany = await ownsTooMany(deps, tx, by)
  return tooMany ?? askAbout(deps, asking, { kind: 'accept-transfer', by, ...begun })
}

/** An operator takes the name's record out of the DNS; the name stays its owner's. */
export async function suspendName(deps: ChangeDeps, asking: Asking): Outcome {
  if (!deps.operators.has(asking.by)) return refuse('FORBIDDEN')
  return askAbout(deps, asking, { kind: 'suspend', by: asking.by })
}

export async function resumeName(deps: ChangeDeps, asking: Asking): Outcome {
  if (!deps.operators.has(asking.by)) return refuse('FORBIDDEN')
  return askAbout(deps, asking, { kind: 'resume', by: asking.by, ...newJob(deps) })
}

/** The owner gives up a name, or a registration that still runs. */
export async function releaseName(deps: ChangeDeps, asking: Asking): Outcome {
  return askAbout(deps, asking, { kind: 'release', by: asking.by })
}

/** The registration that holds this name now. */
export async function findByText(db: Kysely<Database>, text: string): Promise<NameState | null> {
  const name = readText(text)
  return isRefusal(name) ? null : findClaim(db, name)
}

/** The same, or, where there is none, the wildcard of its domain. */
export async function findAnsweringByText(db: Kysely<Database>, text: string): Promise<NameState | null> {
  const name = readText(text)
  return isRefusal(name) ? null : findAnswering(db, name)
}

function readText(text: string): NewName | Refusal {
  const [user = '', domain = '', ...more] = text.toLowerCase().split('@')
  if (more.length > 0) return refuse('NAME_NOT_FOUND')
  return user.replace(/^₿/, '') === WILDCARD ? wildcardOf(domain) : readName(user, domain)
}

/** Where a wildcard stands everything is its owner's: what another key gave up would be paid to that owner. */
async function whyItStays(db: Kysely<Database>, text: string): Promise<Refusal | null> {
  const name = readText(text)
  if (isRefusal(name)) return refuse('NAME_NOT_FOUND')
  const wildcard = await findClaim(db, wildcardOf(name.domain))
  return wildcard && refuse('WILDCARD_NOT_YOURS', { domain: name.domain })
}

async function askAbout(deps: ChangeDeps, { tx, name }: Asking, command: NameRequest): Outcome {
  const claim = await findByText(tx.db, name)
  const state = claim && (await lockName(tx.db, claim.id))
  return state ? request(tx, state, command, deps.clock()) : refuse('NAME_NOT_FOUND')
}

/** A job with the offer that was brought; without one the node of `by` makes it, and must be there. */
async function beginWithOffer(deps: ChangeDeps, by: Hex, wish: OfferWish, { user }: NameState) {
  const offer = await offerToUse(deps, by, wish.offer, { tellsPayees: user === WILDCARD })
  return isRefusal(offer) ? offer : { ...newJob(deps), ...(offer && { offer }) }
}

function newJob({ clock, rules }: ChangeDeps): { jobId: string; deadlineAt: number } {
  return { jobId: randomUUID(), deadlineAt: clock() + rules.deadlineMs }
}
