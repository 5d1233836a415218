import { isRefusal, type JsonObject, type Refusal } from '@holdfast/core'
import { decideName, hearName, type NameDecision } from '@holdfast/core/names/name-machine'
import type {
  NameCommand,
  NameEffect,
  NameReport,
  NameRequest,
  NameState,
} from '@holdfast/core/names/name-states'
import type { ChangeSignal } from '../platform/change-signal.ts'
import type { NewJob, Transact, Transaction } from '../platform/transaction.ts'
import { insertName, lockName, updateName } from './name-store.ts'

/** Hears a report about a name: locks it, decides, keeps. Null when there is no such registration. */
export type TellName = (id: string, report: NameReport) => Promise<NameState | null>

export function makeTellName(deps: {
  transact: Transact
  clock: () => number
  changes: ChangeSignal
}): TellName {
  return async (id, report) => {
    const told = await deps.transact(async (tx) => {
      const state = await lockName(tx.db, id)
      if (state === null) return null
      const now = deps.clock()
      const decision = hearName(state, report, now)
      await keep(tx, state, decision, { command: report, actor: actorOf(report), now })
      return decision.state
    })
    deps.changes.notify(id)
    return told
  }
}

/** Claims the name for its first state; false when somebody else holds it. */
export async function keepNew(
  tx: Transaction,
  decision: NameDecision,
  request: Extract<NameRequest, { kind: 'register' }>,
  now: number,
): Promise<boolean> {
  if (!(await insertName(tx.db, decision))) return false
  record(tx, decision, { command: request, actor: request.owner, now })
  return true
}

/** Decides on a request about a name that exists, and keeps what was decided. */
export async function request(
  tx: Transaction,
  state: NameState,
  command: NameRequest,
  now: number,
): Promise<NameState | Refusal> {
  const decision = decideName(state, command, now)
  if (isRefusal(decision)) return decision
  await keep(tx, state, decision, { command, actor: command.owner, now })
  return decision.state
}

type Cause = { command: NameCommand; actor: string; now: number }

async function keep(tx: Transaction, before: NameState, decision: NameDecision, cause: Cause): Promise<void> {
  if (decision.state !== before || decision.effects.length > 0) await updateName(tx.db, decision)
  if (decision.state !== before) record(tx, decision, cause)
  else for (const effect of decision.effects) tx.enqueue(jobOf(before.id, effect, cause.now))
}

/** The entry holds the whole command, so that replaying the entries gives the state again. */
function record(tx: Transaction, { state, effects }: NameDecision, { command, actor, now }: Cause): void {
  tx.append({
    stream: 'name',
    entityId: state.id,
    kind: `name.${command.kind}`,
    data: {
      name: `${state.user}@${state.domain}`,
      phase: state.phase,
      command: command as unknown as JsonObject,
    },
    actor,
    at: new Date(now),
  })
  for (const effect of effects) tx.enqueue(jobOf(state.id, effect, now))
}

function jobOf(id: string, effect: NameEffect, now: number): NewJob {
  // What is due is due by the database's clock, too, even when ours is ahead of it.
  const due = effect.at > now ? { runAt: new Date(effect.at) } : {}
  const key = `name:${id}:${effect.kind}`
  return effect.kind === 'wake'
    ? { task: 'names:wake', payload: { id }, key, ...due }
    : { task: `names:${effect.kind}`, payload: { id, attempt: effect.attempt }, key, ...due }
}

function actorOf(report: NameReport): string {
  switch (report.kind) {
    case 'offer-made':
    case 'offer-disabled':
      return 'node'
    case 'record-published':
    case 'record-seen':
    case 'record-withdrawn':
    case 'chain-validated':
      return 'dns'
    case 'effect-failed':
    case 'outcome-unknown':
    case 'time-passed':
      return 'system'
  }
}
