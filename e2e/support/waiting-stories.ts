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
  /** Of the worker; when it does not stand, it goes on to what is due next, so far at the most. */
  readonly clock: { stands: boolean; longestMs: number; readonly now: () => number }
  order(order: Order): void
}

/** Names that are renewed for ever. */
export const SHOPS = ['shop-one', 'shop-two', 'shop-three'] as const
const [OWNER, RIVAL] = ['0a'.repeat(32), '0b'.repeat(32)]
const COMES_WITHIN_MS = 60_000
/** The watcher looks at every live name within six hours, and twice before it says that something is wrong. */
const BETWEEN_LOOKS_MS = 3_600_000

/** Who is to come to the step, and what brings them there. */
export type Told = { readonly entityId?: string; begin(): void }

/** All that is kept. */
export type States = { readonly names: readonly NameState[]; readonly domains: readonly DomainState[] }

export async function readStates({ db }: OpenDatabase): Promise<States> {
  const names = await sql<{ state: NameState }>`select state from name_registration`.execute(db)
  const domains = await sql<{ state: DomainState }>`select state from domain_claim`.execute(db)
  return { names: names.rows.map(({ state }) => state), domains: domains.rows.map(({ state }) => state) }
}

/** When something is due that was kept; null: nothing ever. */
export function nextDue({ names, domains }: States): number | null {
  const times = [...names.map(dueAt), ...domains.map(domainDueAt)].filter((at) => at !== null)
  return times.length === 0 ? null : Math.min(...times)
}

export async function openShops(life: WaitingLife): Promise<void> {
  for (const user of SHOPS) life.order({ kind: 'register', owner: OWNER, user })
  for (const shop of SHOPS) await nameIs(life, ({ user, phase }) => user === shop && phase === 'active')
}

/** Brings everything to where the story begins. `tag` is new each time. */
export async function prepareStory(life: WaitingLife, story: WaitingStory, tag: string): Promise<Told> {
  const { edges, clock } = life
  const nothing = () => undefined
  switch (story) {
    case 'renewal':
    case 'vain renewal':
    case 'lost record': {
      const shop = await nameIs(
        life,
        (name) =>
          SHOPS.some((known) => known === name.user) &&
          name.phase === 'active' &&
          name.retiring.length === 0 &&
          // Else its renewal would put the record back before anybody misses it.
          (story !== 'lost record' || (name.wakeAt ?? 0) > clock.now() + 24 * BETWEEN_LOOKS_MS),
      )
      const begin = {
        renewal: nothing,
        'vain renewal': () => void edges.unresolvable.add(shop.user),
        'lost record'() {
          clock.longestMs = BETWEEN_LOOKS_MS
          edges.lose(shop)
        },
      }
      return { entityId: shop.id, begin: begin[story] }
    }
    case 'expiry': {
      const user = `brought-${tag}`
      life.order({ kind: 'register', owner: OWNER, user, offer: await edges.bring(user, life.clock.now()) })
      const { id } = await nameIs(life, (name) => name.user === user && name.phase === 'active')
      return { entityId: id, begin: nothing }
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
      await domainIs(life, (state) => state.id === id && state.phase === 'lapsed')
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
  return domainIs(
    life,
    (state) =>
      state.domain === domain && state.owner === owner && state.phase === 'pending' && state.check.tries > 0,
  )
}

async function proven(life: WaitingLife, tag: string): Promise<DomainState> {
  const { id, ...state } = await claimed(life, OWNER, tag)
  show(life.edges, state)
  return domainIs(life, (known) => known.id === id && known.phase === 'active')
}

function show({ shown }: SimulatedEdges, state: Pick<DomainState, 'domain' | 'challenge'>): void {
  const name = challengeName(state)
  shown.set(name, new Set(shown.get(name)).add(challengeValue(state)))
}

function domainIs(life: WaitingLife, is: (state: DomainState) => boolean): Promise<DomainState> {
  return until(life, ({ domains }) => domains.find(is))
}

function nameIs(life: WaitingLife, is: (state: NameState) => boolean): Promise<NameState> {
  return until(life, ({ names }) => names.find(is))
}

async function until<T>(life: WaitingLife, find: (states: States) => T | undefined): Promise<T> {
  for (const deadline = Date.now() + COMES_WITHIN_MS; ; await sleep(10)) {
    const states = await readStates(life.database)
    const found = find(states)
    if (found !== undefined) return found
    if (Date.now() > deadline)
      throw new Error(`It did not come in time; at ${life.clock.now()} there are ${JSON.stringify(states)}`)
  }
}
