import { createHash } from 'node:crypto'
import type { NameIn, NameState } from '@holdfast/core/names/name-states'
import { recordName } from '@holdfast/protocols/bip353'
import type { OpenDatabase } from '../platform/database.ts'
import { makeValidate, type ResolveTxt } from '../resolve/validations.ts'
import { examineName, type Finding } from './examine-name.ts'
import { nameToAsk } from './name-record.ts'
import type { TellName } from './name-saga.ts'
import { keepLook, takeDueName, type Watched } from './watch-store.ts'

export type WatchRules = {
  /** Every live name is looked at once in so long. */
  readonly periodMs: number
  /** How many are looked at at the same time. */
  readonly atOnce: number
}

/** How many names were looked at, and what of. `unknown`: the DNS gave no usable answer. */
export type WatchRound = Record<Finding['health'], number>

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const VALIDATE_WITHIN_MS = 8 * SECOND_MS
/** Who takes a name and dies gives it back by then. */
const TAKEN_FOR_MS = 5 * MINUTE_MS
/** A finding counts when it is found again after this time, in which no cache keeps what was before. */
const CONFIRM_AFTER_MS = 65 * SECOND_MS
const UNKNOWN_AGAIN_MS = 5 * MINUTE_MS

/** Looks at every live name that is due, as a payer's wallet would, and tells it what came of it. */
export function makeWatchNames(deps: {
  database: Pick<OpenDatabase, 'db'>
  resolveTxt: ResolveTxt
  clock: () => number
  tell: TellName
  rules: WatchRules
  /** Aborted when the server stops: no further name is begun. */
  closing?: AbortSignal
}): () => Promise<WatchRound> {
  const { clock, tell, rules, closing } = deps
  const { db } = deps.database
  const validate = makeValidate({ ...deps, timeoutMs: VALIDATE_WITHIN_MS })

  return async () => {
    const round: WatchRound = { healthy: 0, unhealthy: 0, unknown: 0 }
    const faults: unknown[] = []
    const watcher = async () => {
      while (!closing?.aborted) {
        const now = clock()
        const watched = await takeDueName(db, { now, until: now + TAKEN_FOR_MS })
        if (watched === null) return
        try {
          round[await look(watched)]++
        } catch (cause) {
          faults.push(new Error(`${watched.state.id} cannot be looked at`, { cause }))
        }
      }
    }
    await Promise.all(Array.from({ length: rules.atOnce }, watcher))
    if (faults.length > 0) throw new AggregateError(faults, `${faults.length} live names were passed over`)
    return round
  }

  async function look({ state, finding: before }: Watched): Promise<Finding['health']> {
    const answer = await validate(recordName(nameToAsk(state)))
    // Nobody else waits in this line, so it is never too long.
    if ('refused' in answer) return 'unknown'
    const now = clock()
    const finding = examineName(state, answer, now)
    const isNews = finding.health === 'unhealthy' && state.unhealthy?.reason !== finding.reason
    if (isNews && before !== finding.reason) {
      await keepLook(db, state.id, { at: now + CONFIRM_AFTER_MS, finding: finding.reason })
      return finding.health
    }
    const told = await report(state, finding)
    await keepLook(db, state.id, {
      at: nextLook(told ?? state, finding, rules, now),
      // Silence neither confirms nor contradicts what was found before.
      finding: finding.health === 'unknown' ? before : null,
    })
    return finding.health
  }

  async function report(state: NameIn<'active'>, finding: Finding): Promise<NameState | null> {
    const { offer } = state.live
    switch (finding.health) {
      case 'healthy':
        return state.unhealthy === null ? state : tell(state.id, { kind: 'healthy', offer })
      case 'unhealthy': {
        const { reason, found } = finding
        return tell(state.id, {
          kind: 'unhealthy',
          offer,
          reason,
          ...(found !== undefined && { found }),
        })
      }
      case 'unknown':
        return state
    }
  }
}

/** What is wrong is looked at again soon at first, then ever more rarely; what is well once in a period. */
function nextLook(state: NameState, finding: Finding, { periodMs }: WatchRules, now: number): number {
  const regular = slotAfter(state.id, now, periodMs)
  switch (finding.health) {
    case 'healthy':
      return regular
    case 'unknown':
      return Math.min(regular, now + UNKNOWN_AGAIN_MS)
    case 'unhealthy': {
      const since = state.phase === 'active' ? (state.unhealthy?.since ?? now) : now
      return Math.min(regular, now + Math.max(CONFIRM_AFTER_MS, (now - since) / 2))
    }
  }
}

/** Every name has a place of its own in the period, so that a thousand registered at once are not looked at at once. */
function slotAfter(id: string, now: number, periodMs: number): number {
  const place = (createHash('sha256').update(id).digest().readUInt32BE(0) / 2 ** 32) * periodMs
  const begun = Math.floor((now - place) / periodMs)
  const next = place + (begun + 1) * periodMs
  // One that was looked at just before its place, as after a repair, is not looked at twice.
  return Math.ceil(next - now < periodMs / 10 ? next + periodMs : next)
}
