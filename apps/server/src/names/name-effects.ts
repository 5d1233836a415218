import type { DnsZone } from '@holdfast/core/dns-zone'
import type { EffectSubject, NameReport } from '@holdfast/core/names/name-commands'
import type { NameState } from '@holdfast/core/names/name-states'
import { doneOf, pendingEffects } from '@holdfast/core/names/pending-effects'
import type { AskResolvers } from '../dns/resolvers/ask-resolvers.ts'
import type { Zones } from '../dns/zones.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { Task } from '../platform/jobs.ts'
import { checkAuthoritative } from './check-authoritative.ts'
import { disableOffer } from './disable-offer.ts'
import { type Failed, unavailable } from './effect-outcome.ts'
import { subjects } from './effect-subject.ts'
import { makeOffer } from './make-offer.ts'
import type { TellName } from './name-saga.ts'
import { findName } from './name-store.ts'
import { publishRecord } from './publish-record.ts'
import { settleRecord } from './settle-record.ts'
import { confirmByResolvers, type ResolveFresh, validateChain } from './validate-chain.ts'

/**
 * Where names of a merchant's domain lived until it was given up. From then on `zones` has the domain if somebody has it
 * now.
 */
export type FormerZones = (domain: string) => Promise<readonly DnsZone[]>

export type EffectDeps = {
  database: Pick<OpenDatabase, 'db'>
  zones: Zones
  /** Absent: no domain is given up. */
  formerZones?: FormerZones
  nodes: NodeDirectory
  resolveFresh: ResolveFresh
  /** Absent: no resolver of others is asked. */
  askResolvers?: AskResolvers
  clock: () => number
  tell: TellName
}

/** One task per effect: looks whether the effect is still wanted, performs it, reports what became of it. */
export function makeNameTasks(deps: EffectDeps): Record<string, Task> {
  const tasks = Object.entries(subjects).map(([kind, schema]): [string, Task] => [
    `names:${kind}`,
    async (payload, { signal }) => {
      const read = schema.safeParse(payload)
      // A job of an earlier version; the sweeper asks again for what it was to do.
      if (!read.success) return
      await run(deps, String(payload.id), { kind, ...read.data } as EffectSubject, signal)
    },
  ])
  return {
    ...Object.fromEntries(tasks),
    'names:wake': async ({ id }) => {
      await deps.tell(String(id), { kind: 'time-passed' })
    },
  }
}

async function run(deps: EffectDeps, id: string, effect: EffectSubject, signal: AbortSignal): Promise<void> {
  const state = await findName(deps.database.db, id)
  if (state === null) return
  if (pendingEffects(state).some(({ serial }) => serial === effect.serial)) {
    await deps.tell(id, await perform(deps, state, effect, signal))
  } else if (leavesSomething(effect)) {
    // This job may be the second run of one that was interrupted after its effect.
    await deps.tell(id, { kind: 'outcome-unknown', effect: doneOf(effect) })
  }
}

function leavesSomething({ kind }: EffectSubject): boolean {
  return kind === 'make-offer' || kind === 'publish-record' || kind === 'settle-record'
}

async function perform(
  deps: EffectDeps,
  state: NameState,
  effect: EffectSubject,
  signal: AbortSignal,
): Promise<NameReport> {
  const { nodes, clock, database } = deps
  const inZones = async (work: (zone: DnsZone) => Promise<'done' | Failed>) => {
    const zones = await zonesOf(deps, state)
    for (const zone of zones) {
      const outcome = await work(zone)
      if (outcome !== 'done') return outcome
    }
    // A domain that was taken in or proven just now: this process knows it within a minute.
    return zones.length > 0 ? 'done' : unavailable('DOMAIN_UNKNOWN')
  }
  const failed = ({ failure }: Failed): NameReport => {
    return { kind: 'effect-failed', effect: doneOf(effect), failure }
  }
  const report = (outcome: 'done' | Failed, done: NameReport): NameReport =>
    outcome === 'done' ? done : failed(outcome)

  const { serial } = effect
  switch (effect.kind) {
    case 'make-offer': {
      const { no, owner } = effect
      const made = await makeOffer({ nodes, clock }, state, effect)
      return 'failure' in made ? failed(made) : { kind: 'offer-made', serial, no, owner, ready: made }
    }
    case 'publish-record': {
      const { offer, replaces } = effect
      const outcome = await inZones((zone) => publishRecord(zone, state, { offer, replaces }))
      return report(outcome, { kind: 'record-published', serial, offer })
    }
    case 'check-authoritative': {
      const outcome = await inZones((zone) => checkAuthoritative(zone, state, effect.offer, signal))
      return report(outcome, { kind: 'record-seen', serial })
    }
    case 'validate-chain': {
      const { askResolvers } = deps
      const confirmed = askResolvers ? await confirmByResolvers(askResolvers, state, effect.offer) : null
      if (confirmed !== null && typeof confirmed === 'object') return failed(confirmed)
      const outcome = await validateChain(deps.resolveFresh, state, effect.offer)
      const confirmedBy = confirmed === null ? {} : { confirmedBy: confirmed }
      return report(outcome, { kind: 'chain-validated', serial, ...confirmedBy })
    }
    case 'settle-record': {
      const outcome = await inZones((zone) => settleRecord({ zone, database }, state, effect))
      return report(outcome, { kind: 'record-settled', serial, wanted: effect.wanted })
    }
    case 'disable-offer': {
      const outcome = await disableOffer({ nodes }, state, effect)
      return report(outcome, { kind: 'offer-disabled', serial, no: effect.no })
    }
  }
}

/** What a name leaves when it has ended may stand where its domain was, before it was given up and perhaps proven anew. */
async function zonesOf(
  { zones, formerZones = async () => [] }: EffectDeps,
  { domain, phase }: NameState,
): Promise<readonly DnsZone[]> {
  const former = phase === 'freed' ? await formerZones(domain) : []
  const zone = zones.get(domain)
  return zone ? [...former, zone] : former
}
