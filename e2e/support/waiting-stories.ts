import { setTimeout as sleep } from 'node:timers/promises'
import { domainDueAt } from '@holdfast/core/domains/domain-machine'
import type { DomainState } from '@holdfast/core/domains/domain-states'
import type { NameState } from '@holdfast/core/names/name-states'
import { dueAt } from '@holdfast/core/names/pending-effects'
import { challengeName, challengeValue } from '@holdfast/server/domains/domain-challenge'
import type { OpenDatabase } from '@holdfast/server/platform/database'
import { sql } from 'kysely'
import type { SimulatedEdges } from './simulated-edges.ts'
import type { WaitingStory } from './waiting-steps.ts'
import type { Order } from './waiting-worker.ts'

/** A running worker, with all that reaches into its world. */
export type WaitingLife = {
  readonly database: OpenDatabase
  readonly edges: SimulatedEdges
  /** Of the worker. */
  readonly now: () => number
  order(order: Order): void
}

/** Names that are renewed for ever. */
export const SHOPS = ['shop-one', 'shop-two', 'shop-three'] as const
const [OWNER, RIVAL] = ['0a'.repeat(32), '0b'.repeat(32)]
const COMES_WITHIN_MS = 60_000

/** Who is to come to the step, and what brings them there. */
export type Told = { readonly entityId?: string; begin(): void }

export async function readStates({ db }: OpenDatabase) {
  const names = await sql<{ state: NameState }>`select state from name_registration`.execute(db)
  const domains = await sql<{ state: DomainState }>`select state from domain_claim`.execute(db)
  return { names: names.rows.map(({ state }) => state), domains: domains.rows.map(({ state }) => state) }
}

/** When something is due that was kept; null: nothing ever. */
export function nextDue({ names, domains }: Awaited<ReturnType<typeof readStates>>): number | null {
  const times = [...names.map(dueAt), ...domains.map(domainDueAt)].filter((at) => at !== null)
  return times.length === 0 ? null : Math.min(...times)
}

export async function openShops(life: WaitingLife): Promise<void> {
  for (const user of SHOPS) life.order({ kind: 'register', owner: OWNER, user })
  for (const user of SHOPS) await nameIs(life, user, 'active')
}

/** Brings everything to where the story begins. `tag` is new each time. */
export async function prepareStory(life: WaitingLife, story: WaitingStory, tag: string): Promise<Told> {
  const { edges, database } = life
  const nothing = () => undefined
  switch (story) {
    case 'renewal':
    case 'vain renewal': {
      const shop = await until(async () =>
        (await readStates(database)).names.find(
          ({ user, phase, retiring }) =>
            SHOPS.some((known) => known === user) && phase === 'active' && retiring.length === 0,
        ),
      )
      const spoil = () => void edges.unresolvable.add(shop.user)
      return { entityId: shop.id, begin: story === 'renewal' ? nothing : spoil }
    }
    case 'expiry': {
      const user = `brought-${tag}`
      life.order({ kind: 'register', owner: OWNER, user, offer: await edges.bring(user, life.now()) })
      return { entityId: (await nameIs(life, user, 'active')).id, begin: nothing }
    }
    case 'claim':
      return { begin: () => life.order({ kind: 'claim', owner: OWNER, domain: `m-${tag}.test` }) }
    case 'silence':
      return { entityId: (await claimed(life, OWNER, tag)).id, begin: nothing }
    case 'proof': {
      const state = await claimed(life, OWNER, tag)
      return { entityId: state.id, begin: () => show(edges, state) }
    }
    case 'lapse': {
      const state = await proven(life, tag)
      return { entityId: state.id, begin: () => void edges.shown.clear() }
    }
    case 'giving up': {
      const { id } = await proven(life, tag)
      return { entityId: id, begin: () => life.order({ kind: 'give-up', owner: OWNER, id }) }
    }
    case 'rival': {
      const { id } = await proven(life, tag)
      edges.shown.clear()
      await domainIs(life, id, 'lapsed')
      const rival = await claimed(life, RIVAL, tag)
      return { entityId: id, begin: () => show(edges, rival) }
    }
  }
}

/** Domains are looked at every day for ever: those of earlier stories end. */
export async function endStories(life: WaitingLife): Promise<void> {
  life.edges.unresolvable.clear()
  life.edges.shown.clear()
  const { domains } = await readStates(life.database)
  for (const { id, owner, phase } of domains)
    if (phase !== 'ended') life.order({ kind: 'give-up', owner, id })
}

async function claimed(life: WaitingLife, owner: string, tag: string): Promise<DomainState> {
  const domain = `m-${tag}.test`
  life.order({ kind: 'claim', owner, domain })
  return until(async () =>
    (await readStates(life.database)).domains.find(
      (state) =>
        state.domain === domain &&
        state.owner === owner &&
        state.phase === 'pending' &&
        state.check.tries > 0,
    ),
  )
}

async function proven(life: WaitingLife, tag: string): Promise<DomainState> {
  const state = await claimed(life, OWNER, tag)
  show(life.edges, state)
  return domainIs(life, state.id, 'active')
}

function show({ shown }: SimulatedEdges, state: DomainState): void {
  const name = challengeName(state)
  shown.set(name, new Set(shown.get(name)).add(challengeValue(state)))
}

function domainIs({ database }: WaitingLife, id: string, phase: DomainState['phase']): Promise<DomainState> {
  return until(async () =>
    (await readStates(database)).domains.find((state) => state.id === id && state.phase === phase),
  )
}

function nameIs({ database }: WaitingLife, user: string, phase: NameState['phase']): Promise<NameState> {
  return until(async () =>
    (await readStates(database)).names.find((state) => state.user === user && state.phase === phase),
  )
}

async function until<T>(find: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + COMES_WITHIN_MS; ; await sleep(10)) {
    const found = await find()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`It did not come in time: ${find}`)
  }
}
