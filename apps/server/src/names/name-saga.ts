import { isRefusal, type JsonObject, type Refusal } from '@holdfast/core'
import type { NameCommand, NameEffect, NameReport, NameRequest } from '@holdfast/core/names/name-commands'
import { decideName, hearName, type NameDecision } from '@holdfast/core/names/name-machine'
import type { NameState } from '@holdfast/core/names/name-states'
import type { ChangeSignal } from '../platform/change-signal.ts'
import { type Cause, type Entity, record } from '../platform/entity-loop.ts'
import type { NewJob, Transact, Transaction } from '../platform/transaction.ts'
import { type Claimed, claimName, keepJob, lockName, updateName } from './name-store.ts'

const NAME: Entity<NameState, NameCommand, NameEffect> = {
  stream: 'name',
  idOf: ({ id }) => id,
  shown: ({ user, domain, phase }) => ({ name: `${user}@${domain}`, phase }),
  encode: (command) => command as unknown as JsonObject,
  jobOf,
}

/** Hears a report about a name: locks it, decides, keeps. Null when there is no such registration. */
export type TellName = (id: string, report: NameReport) => Promise<NameState | null>

export function makeTellName(deps: {
  transact: Transact
  clock: () => number
  changes: ChangeSignal
}): TellName {
  return async (id, report) => {
    let job: string | null = null
    const told = await deps.transact(async (tx) => {
      const state = await lockName(tx.db, id)
      if (state === null) return null
      job = state.job.id
      const now = deps.clock()
      const decision = hearName(state, report, now)
      await keep(tx, state, decision, { command: report, actor: actorOf(report), now })
      return decision.state
    })
    if (job !== null) deps.changes.notify(job)
    return told
  }
}

/** Claims the name for its first state; when it was not won, the transaction must be undone. */
export async function keepNew(
  tx: Transaction,
  decision: NameDecision,
  request: Extract<NameRequest, { kind: 'register' }>,
  { now, most }: { now: number; most: number },
): Promise<Claimed> {
  const claimed = await claimName(tx, decision.state, { now, most })
  if (claimed.outcome === 'claimed')
    record(tx, NAME, null, decision, { command: request, actor: request.by, now })
  return claimed
}

/** Decides on a request about a name that is locked, and keeps what was decided. */
export async function request(
  tx: Transaction,
  state: NameState,
  command: NameRequest,
  now: number,
): Promise<NameState | Refusal> {
  const decision = decideName(state, command, now)
  if (isRefusal(decision)) return decision
  await keep(tx, state, decision, { command, actor: command.by, now })
  return decision.state
}

async function keep(
  tx: Transaction,
  before: NameState,
  decision: NameDecision,
  cause: Cause<NameCommand>,
): Promise<void> {
  const { state, effects } = decision
  if (state === before && effects.length === 0) return
  if (state.job.id !== before.job.id || state.job.kind !== before.job.kind) {
    await keepJob(tx.db, before.id, before.job)
  }
  updateName(tx, state, cause.now)
  record(tx, NAME, before, decision, cause)
}

function jobOf(id: string, effect: NameEffect, now: number): NewJob {
  const { kind, at, ...subject } = effect
  // What is due is due by the database's clock, too, even when ours is ahead of it.
  const due = at > now ? { runAt: new Date(at) } : {}
  const key = kind === 'disable-offer' ? `name:${id}:${kind}:${effect.no}` : `name:${id}:${kind}`
  return { task: `names:${kind}`, payload: { id, ...subject } as JsonObject, key, patient: true, ...due }
}

function actorOf(report: NameReport): string {
  switch (report.kind) {
    case 'offer-made':
    case 'offer-disabled':
      return 'node'
    case 'record-published':
    case 'record-seen':
    case 'record-settled':
    case 'chain-validated':
    case 'record-found':
    case 'healthy':
    case 'unhealthy':
      return 'dns'
    case 'effect-failed':
    case 'outcome-unknown':
    case 'time-passed':
    case 'try-again':
      return 'system'
  }
}
