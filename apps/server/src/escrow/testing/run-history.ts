import type { Custody, In, MilestoneState, Phase } from '@holdfast/core/escrow/milestone-states'
import fc from 'fast-check'
import { expect } from 'vitest'
import { auditEntity } from '../../platform/journal/audit-entity.ts'
import { dueAt } from '../../platform/testing/job-queue.ts'
import type { TestDatabase } from '../../platform/testing/with-database.ts'
import { ESCROW_REPLAY } from '../replay-escrow.ts'
import { BUYER, HOUR_MS, PAYOUT_MSAT, WORKER } from './escrow-world.ts'
import { askForRefund, type Move, make, moves } from './history-moves.ts'
import { type HistoryWorld, makeHistoryWorld } from './history-world.ts'

/** Some escrows that share a node, a process and a clock: how far each gets before things go wrong, and what goes wrong. */
export type History = {
  readonly escrows: readonly {
    readonly custody: Custody
    readonly milestones: number
    readonly smooth: number
  }[]
  readonly moves: readonly Move[]
}

const ESCROWS_AT_ONCE = 5

const histories: fc.Arbitrary<History> = fc.record({
  escrows: fc.array(
    fc.record({
      custody: fc.constantFrom<Custody>('hash-locked', 'hash-locked', 'coordinated'),
      milestones: fc.integer({ min: 1, max: 2 }),
      smooth: fc.constantFrom(0, 2, 3, 3, 4, 4),
    }),
    { minLength: ESCROWS_AT_ONCE, maxLength: ESCROWS_AT_ONCE },
  ),
  moves: fc.array(moves, { minLength: 15, maxLength: 75 }),
})

/** The ends that a run must reach to say anything. */
export const USUAL_ENDS = [
  'released',
  'refunded',
  'repaid',
  'lost',
  'expired',
  'cancelled',
] as const satisfies Phase[]

/** How often each phase was the end of a milestone. */
export type Ends = Map<Phase, number>

/** Lives the history to its end and checks what must be true of every one; throws what is not. */
async function runHistory(database: TestDatabase, history: History, ends: Ends): Promise<void> {
  const world = makeHistoryWorld(database)
  for (const [index, { custody, milestones, smooth }] of history.escrows.entries()) {
    await world.open(custody, milestones)
    const steps = custody === 'coordinated' ? beginCoordinated : beginHashLocked
    for (const step of steps(world, world.ids[index]!).slice(0, smooth)) await step()
  }
  for (const move of history.moves) await make(world, move)
  await settle(world)
  await check(world, database, ends)
}

type Step = () => Promise<unknown>

function beginHashLocked(world: HistoryWorld, id: string): Step[] {
  return [invoiced, funded, held, paying].map((step) => () => step(world, id))
}

function beginCoordinated(world: HistoryWorld, id: string): Step[] {
  return [funded, held, assigned, paying].map((step) => () => step(world, id))
}

async function invoiced(world: HistoryWorld, id: string): Promise<void> {
  const invoice = world.invoiceOf(PAYOUT_MSAT)
  await world.ask(id, { kind: 'submit-invoice', by: WORKER, milestone: 0, invoice })
}

async function funded(world: HistoryWorld, id: string): Promise<void> {
  await world.ask(id, { kind: 'fund', by: BUYER, milestone: 0 })
  await runJobs(world, 'escrow:create-hold')
}

async function held(world: HistoryWorld): Promise<void> {
  for (const hash of world.node.holds.keys()) world.node.buyerPays(hash)
  await world.slice.follow({ waitMs: 0 })
}

async function assigned(world: HistoryWorld, id: string): Promise<void> {
  await world.ask(id, { kind: 'apply', by: WORKER, message: '' })
  await world.ask(id, { kind: 'assign', by: BUYER, worker: WORKER })
  await invoiced(world, id)
}

async function paying(world: HistoryWorld, id: string): Promise<void> {
  await world.ask(id, { kind: 'approve', by: BUYER, milestone: 0 })
  await runJobs(world, 'escrow:pay-out')
}

async function runJobs(world: HistoryWorld, task: string): Promise<void> {
  for (const job of world.jobs.filter((job) => job.task === task)) {
    world.jobs.splice(world.jobs.indexOf(job), 1)
    await world.perform(job)
  }
}

/** From now on nothing fails, jobs run when they are due, and whoever is owed says where the money is to go. */
async function settle(world: HistoryWorld): Promise<void> {
  const { node, time } = world
  await world.goOn()
  let heard = 0
  for (let turn = 0; turn < 2_000; turn++) {
    if (node.happened.length > heard) heard += await world.slice.follow({ waitMs: 0 })
    const job = world.takeNextJob()
    if (job !== undefined) {
      const before = node.height
      if (dueAt(job) > time.now) world.pass(dueAt(job) - time.now)
      if (node.height > before) await world.slice.guard()
      await world.perform(job)
      if (turn % 5 === 0) node.payeeAnswers(turn % 2 === 0)
      continue
    }
    const states = await world.read()
    if (states.every((state) => 'endedAt' in state)) return endClaims(world)
    for (const { id } of states) await askForRefund(world, id)
    world.pass(2 * HOUR_MS)
    node.payeeAnswers(true)
    await world.slice.guard()
    await world.slice.sweep()
  }
  throw new Error(`no end: ${(await world.read()).flatMap(phasesOf).join(' ')}`)
}

/** Of two claims from a silent peer one is lost. Nobody hears the event: the guardian asks, for every block. */
async function endClaims(world: HistoryWorld): Promise<void> {
  const { node } = world
  let nth = 0
  node.endClaims('lost', () => nth++ % 2 === 0)
  node.endClaims('final')
  world.pass(HOUR_MS)
  await world.slice.guard()
  await world.slice.followClaims()
}

const phasesOf = ({ milestones }: { milestones: readonly MilestoneState[] }) =>
  milestones.map(({ phase }) => phase)

async function check(world: HistoryWorld, database: TestDatabase, ends: Ends): Promise<void> {
  const { node } = world
  const states = await world.read()
  const milestones = states.flatMap((state) => state.milestones)
  for (const { phase } of milestones) ends.set(phase, (ends.get(phase) ?? 0) + 1)

  for (const milestone of milestones) {
    const hash = 'paymentHash' in milestone ? milestone.paymentHash : null
    const hold = hash === null ? 'none' : node.holds.get(hash)?.state.state
    const { phase, custody } = milestone
    const mayBeLost = phase === 'lost' || 'claimLost' in milestone
    expect({ phase, hold }).toEqual({ phase, hold: hold === 'lost' && mayBeLost ? hold : HOLD[phase] })
    // A hash-locked hold is claimed by the node itself, in the moment in which the worker is paid.
    if (phase === 'lost' && hold !== 'lost') expect(custody).toBe('coordinated')
  }
  const open = await database.db
    .selectFrom('escrow')
    .select('open_claims')
    .where('id', 'in', world.ids)
    .execute()
  expect(open.flatMap(({ open_claims }) => open_claims)).toEqual([])
  const gained = milestones.reduce((sum, milestone) => sum + gainOf(milestone), 0n)
  expect({ gained: node.gainMsat(), phases: states.map(phasesOf) }).toEqual({
    gained,
    phases: states.map(phasesOf),
  })
  for (const hash of node.holds.keys()) {
    const events = node.happened.filter((event) => 'paymentHash' in event && event.paymentHash === hash)
    const times = (...kinds: string[]) => events.filter(({ kind }) => kinds.includes(kind)).length
    const arrived = times('hold-accepted')
    expect(arrived).toBeLessThanOrEqual(1)
    expect(times('hold-settled', 'hold-cancelled')).toBe(1)
    const paid = [...node.payments.values()].filter(
      ({ paymentHash, outcome }) => paymentHash === hash && outcome.state === 'succeeded',
    )
    expect(paid.length).toBeLessThanOrEqual(arrived)
  }
  for (const id of world.ids) {
    const audit = await auditEntity(database, { stream: 'escrow', id }, ESCROW_REPLAY)
    expect(audit).toMatchObject({ verdict: 'intact' })
  }
}

/** What the node says of a milestone's hold at its end; one that is missing here is no end. */
const HOLD: Partial<Record<Phase, 'settled' | 'cancelled' | 'none'>> = {
  released: 'settled',
  repaid: 'settled',
  refunded: 'cancelled',
  expired: 'none',
  cancelled: 'none',
  lost: 'cancelled',
}

/** What the operator has gained by it, as its state says. */
function gainOf(milestone: MilestoneState): bigint {
  switch (milestone.phase) {
    case 'released':
      return milestone.heldMsat - spent(milestone)
    case 'repaid':
      return -milestone.routingFeeMsat - (milestone.claimLost ? milestone.owedMsat : 0n)
    case 'lost':
      return -spent(milestone)
    default:
      return 0n
  }
}

const spent = ({ paidMsat, routingFeeMsat }: In<'released' | 'lost'>) => paidMsat + routingFeeMsat

/**
 * Lives `escrows` of them, on all databases at once: most of a history is waiting for its database. Every counterexample
 * names its seed and path.
 */
export async function runHistories(
  databases: readonly TestDatabase[],
  { escrows, seed }: { escrows: number; seed: number },
): Promise<Ends> {
  const ends: Ends = new Map()
  const numRuns = Math.ceil(escrows / ESCROWS_AT_ONCE / databases.length)
  await Promise.all(
    databases.map((database, lane) =>
      fc.assert(
        fc.asyncProperty(histories, (history) => runHistory(database, history, ends)),
        { numRuns, seed: seed + lane, endOnFailure: true },
      ),
    ),
  )
  return ends
}
