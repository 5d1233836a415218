import { setTimeout as sleep } from 'node:timers/promises'
import { domainDueAt } from '@holdfast/core/domains/domain-machine'
import type { DomainState } from '@holdfast/core/domains/domain-states'
import type { NameState } from '@holdfast/core/names/name-states'
import { dueAt } from '@holdfast/core/names/pending-effects'
import type { OpenDatabase } from '@holdfast/server/platform/database'
import { sql } from 'kysely'
import type { SimulatedEdges } from './simulated-edges.ts'
import type { Order } from './waiting-worker.ts'

/** A running worker, with all that reaches into its world. */
export type WaitingLife = {
  readonly database: OpenDatabase
  readonly edges: SimulatedEdges
  /** Of the worker; when it does not stand, it goes on to what is due next, or awaited, so far at the most. */
  readonly clock: { stands: boolean; awaitedAt: number; longestMs: number; readonly now: () => number }
  order(order: Order): void
  /** Stops the clock; resolves when all orders have been carried out. */
  standStill(): Promise<void>
}

/** Who is to come to the step, and what brings them there; then the clock goes on. */
export type Told = { readonly entityId?: string; begin(): void }

/** Brings everything to where the story begins. `tag` is new each time. */
export type Story = (life: WaitingLife, tag: string) => Promise<Told>

/** All that is kept. */
export type States = { readonly names: readonly NameState[]; readonly domains: readonly DomainState[] }

export const [OWNER, RIVAL] = ['0a'.repeat(32), '0b'.repeat(32)] as const
const COMES_WITHIN_MS = 60_000

export async function readStates({ db }: OpenDatabase): Promise<States> {
  const names = await sql<{ state: NameState }>`select state from name_registration`.execute(db)
  const domains = await sql<{ state: DomainState }>`select state from domain_claim`.execute(db)
  return { names: names.rows.map(({ state }) => state), domains: domains.rows.map(({ state }) => state) }
}

/** When something is due that was kept; infinite: nothing ever. */
export function nextDue({ names, domains }: States): number {
  return Math.min(...[...names.map(dueAt), ...domains.map(domainDueAt)].filter((at) => at !== null))
}

export async function until<T>(life: WaitingLife, find: (states: States) => T | undefined): Promise<T> {
  for (const deadline = Date.now() + COMES_WITHIN_MS; ; await sleep(10)) {
    const states = await readStates(life.database)
    const found = find(states)
    if (found !== undefined) return found
    if (Date.now() > deadline)
      throw new Error(`It did not come in time; at ${life.clock.now()} there are ${JSON.stringify(states)}`)
  }
}
