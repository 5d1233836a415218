import type { DnsZone } from '@holdfast/core/dns-zone'
import { effectOf } from '@holdfast/core/names/name-machine'
import type { NameEffectKind, NameReport, NameState, ReadyOffer } from '@holdfast/core/names/name-states'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { Task } from '../platform/jobs.ts'
import { checkAuthoritative } from './check-authoritative.ts'
import { disableOffer } from './disable-offer.ts'
import { type Failed, refused } from './effect-outcome.ts'
import { makeOffer } from './make-offer.ts'
import type { TellName } from './name-saga.ts'
import { findName } from './name-store.ts'
import { publishRecord } from './publish-record.ts'
import { type ResolveFresh, validateChain } from './validate-chain.ts'
import { withdrawRecord } from './withdraw-record.ts'

export type EffectDeps = {
  database: Pick<OpenDatabase, 'db'>
  zones: ReadonlyMap<string, DnsZone>
  nodes: NodeDirectory
  resolveFresh: ResolveFresh
  clock: () => number
  tell: TellName
}

type Perform = (state: NameState, offer: ReadyOffer, signal: AbortSignal) => Promise<'done' | Failed>

/** One task per effect: looks whether the effect is still wanted, performs it, reports what became of it. */
export function makeNameTasks(deps: EffectDeps): Record<string, Task> {
  const { nodes, clock } = deps
  const inZone =
    (
      work: (
        zone: DnsZone,
        state: NameState,
        offer: ReadyOffer,
        signal: AbortSignal,
      ) => Promise<'done' | Failed>,
    ): Perform =>
    async (state, offer, signal) => {
      const zone = deps.zones.get(state.domain)
      return zone ? work(zone, state, offer, signal) : refused('DOMAIN_UNKNOWN')
    }
  const withOffer =
    (kind: NameEffectKind, done: (attempt: number) => NameReport, perform: Perform): Task =>
    (payload, { signal }) =>
      run(deps, kind, payload, async (state, attempt) => {
        if (!('offer' in state) || state.offer === null) return null
        const outcome = await perform(state, state.offer, signal)
        return outcome === 'done'
          ? done(attempt)
          : { kind: 'effect-failed', effect: kind, attempt, ...outcome }
      })

  return {
    'names:make-offer': (payload) =>
      run(deps, 'make-offer', payload, async (state, attempt) => {
        const made = await makeOffer({ nodes, clock }, state)
        return 'failure' in made
          ? { kind: 'effect-failed', effect: 'make-offer', attempt, ...made }
          : { kind: 'offer-made', offer: made }
      }),
    'names:publish-record': withOffer(
      'publish-record',
      () => ({ kind: 'record-published' }),
      inZone(publishRecord),
    ),
    'names:check-authoritative': withOffer(
      'check-authoritative',
      () => ({ kind: 'record-seen' }),
      inZone(checkAuthoritative),
    ),
    'names:validate-chain': withOffer(
      'validate-chain',
      () => ({ kind: 'chain-validated' }),
      (state, offer) => validateChain(deps.resolveFresh, state, offer),
    ),
    'names:withdraw-record': withOffer(
      'withdraw-record',
      (attempt) => ({ kind: 'record-withdrawn', attempt }),
      inZone((zone, state, offer) => withdrawRecord({ zone, database: deps.database }, state, offer)),
    ),
    'names:disable-offer': (payload) =>
      run(deps, 'disable-offer', payload, async (state, attempt) => {
        const outcome = await disableOffer({ nodes }, state)
        return outcome === 'done'
          ? { kind: 'offer-disabled', attempt }
          : { kind: 'effect-failed', effect: 'disable-offer', attempt, ...outcome }
      }),
    'names:wake': async ({ id }) => {
      await deps.tell(String(id), { kind: 'time-passed' })
    },
  }
}

async function run(
  { database, tell }: EffectDeps,
  kind: NameEffectKind,
  payload: Parameters<Task>[0],
  perform: (state: NameState, attempt: number) => Promise<NameReport | null>,
): Promise<void> {
  const id = String(payload.id)
  const attempt = Number(payload.attempt)
  const state = await findName(database.db, id)
  if (state === null) return
  if (!isWanted(state, kind, attempt)) {
    // This job may be the second run of one that was interrupted after its effect.
    if (kind === 'make-offer' || kind === 'publish-record')
      await tell(id, { kind: 'outcome-unknown', effect: kind })
    return
  }
  const report = await perform(state, attempt)
  if (report !== null) await tell(id, report)
}

function isWanted(state: NameState, kind: NameEffectKind, attempt: number): boolean {
  switch (state.phase) {
    case 'active':
      return false
    case 'requested':
    case 'offer-ready':
    case 'published':
    case 'seen':
    case 'withdrawing':
      return effectOf(state) === kind && state.attempt === attempt
    case 'disabling':
      return kind === 'withdraw-record' || (kind === 'disable-offer' && state.attempt === attempt)
    case 'freed':
      return kind === 'withdraw-record' || kind === 'disable-offer'
  }
}
