import { isRefusal, type JsonObject, type Refusal } from '@holdfast/core'
import { type DomainDecision, decideDomain, hearDomain } from '@holdfast/core/domains/domain-machine'
import type {
  DomainCommand,
  DomainEffect,
  DomainReport,
  DomainRequest,
  DomainState,
} from '@holdfast/core/domains/domain-states'
import type { Kysely } from 'kysely'
import type { Database } from '../platform/database.ts'
import { type Cause, type Entity, record } from '../platform/entity-loop.ts'
import type { NewJob, Transact, Transaction } from '../platform/transaction.ts'
import { insertDomain, lockDomain, lockRival, updateDomain } from './domain-store.ts'

const DOMAIN: Entity<DomainState, DomainCommand, DomainEffect> = {
  stream: 'domain',
  idOf: ({ id }) => id,
  shown: ({ domain, phase }) => ({ domain, phase }),
  encode: (command) => command as unknown as JsonObject,
  jobOf,
}

/** Hears a report about a claim: locks it, decides, keeps. Null when there is no such claim. */
export type TellDomain = (id: string, report: DomainReport) => Promise<DomainState | null>

/** Whether names of the domain are claimed, as `db` sees it. */
export type HoldsNames = (domain: string, db: Kysely<Database>) => Promise<boolean>

type TellDeps = { transact: Transact; clock: () => number; holdsNames: HoldsNames }

export function makeTellDomain(deps: TellDeps): TellDomain {
  return (id, report) =>
    deps.transact(async (tx) => {
      const state = await lockDomain(tx.db, id)
      if (state === null) return null
      const now = deps.clock()
      const heard = report.kind === 'verified' ? await yieldToRival(deps, tx, state, report, now) : report
      const decision = hearDomain(state, heard, now)
      const actor = heard.kind === 'time-passed' ? 'system' : 'dns'
      await keep(tx, state, decision, { command: heard, actor, now })
      return decision.state
    })
}

/**
 * Two keys may show a challenge each: the domain stays with the first. When the first has lapsed and has no names in it,
 * it gives way.
 */
async function yieldToRival(
  { holdsNames }: TellDeps,
  tx: Transaction,
  state: DomainState,
  report: Extract<DomainReport, { kind: 'verified' }>,
  now: number,
): Promise<DomainReport> {
  const rival = await lockRival(tx.db, state)
  if (rival === null) return report
  if (rival.phase === 'lapsed' && !(await holdsNames(state.domain, tx.db))) {
    const command: DomainReport = { kind: 'displaced' }
    await keep(tx, rival, hearDomain(rival, command, now), { command, actor: 'dns', now })
    return report
  }
  return { kind: 'not-verified', serial: report.serial, cause: 'DOMAIN_TAKEN' }
}

export async function claimDomain(
  tx: Transaction,
  command: Extract<DomainRequest, { kind: 'claim' }>,
  now: number,
): Promise<DomainState | Refusal> {
  const decision = decideDomain(null, command, now)
  if (isRefusal(decision)) return decision
  await insertDomain(tx.db, decision.state)
  record(tx, DOMAIN, null, decision, { command, actor: command.owner, now })
  return decision.state
}

/** Decides on a request about a claim that is locked, and keeps what was decided. */
export async function requestDomain(
  tx: Transaction,
  state: DomainState,
  command: Exclude<DomainRequest, { kind: 'claim' }>,
  now: number,
): Promise<DomainState | Refusal> {
  const decision = decideDomain(state, command, now)
  if (isRefusal(decision)) return decision
  await keep(tx, state, decision, { command, actor: command.by, now })
  return decision.state
}

async function keep(
  tx: Transaction,
  before: DomainState,
  decision: DomainDecision,
  cause: Cause<DomainCommand>,
): Promise<void> {
  if (decision.state !== before) await updateDomain(tx.db, decision.state)
  record(tx, DOMAIN, before, decision, cause)
}

function jobOf(id: string, { serial, at }: DomainEffect, now: number): NewJob {
  const due = at > now ? { runAt: new Date(at) } : {}
  // A key for each check: a job that takes the place of one that is being taken just then may be lost, and a late one does nothing.
  return { task: 'domains:check', payload: { id, serial }, key: `domain:${id}:check:${serial}`, ...due }
}
