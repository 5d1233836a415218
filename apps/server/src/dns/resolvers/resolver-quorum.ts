import type { RecordVerdict } from './record-verdict.ts'

/** What came of asking one resolver. */
export type ResolverVerdict =
  | RecordVerdict
  | { readonly verdict: 'timeout' | 'unreachable' | 'malformed'; readonly detail: string }
  /** It failed so often that it is not asked for a while. */
  | { readonly verdict: 'left-alone' }
  /** The others had already decided. */
  | { readonly verdict: 'not-awaited' }

export type QuorumDecision = {
  /**
   * `confirmed`: enough have seen the record. `waiting`: they may yet. `contradicted`: so many answer with something
   * else that the record must be looked at, because the quorum cannot be reached without them.
   */
  readonly decision: 'confirmed' | 'waiting' | 'contradicted'
  readonly seen: number
  readonly needed: number
  /** When waiting: after this time enough caches have forgotten what was before, if that is known. */
  readonly retryAfterMs: number | null
}

/** `needed` of all that were asked must see it; none needed is confirmed at once. */
export function decideQuorum(verdicts: readonly ResolverVerdict[], needed: number): QuorumDecision {
  const seen = verdicts.filter(({ verdict }) => verdict === 'seen').length
  const others = verdicts.filter(({ verdict }) => verdict === 'other-content').length
  const result = (decision: QuorumDecision['decision'], retryAfterMs: number | null = null) => ({
    decision,
    seen,
    needed,
    retryAfterMs,
  })
  if (seen >= needed) return result('confirmed')
  if (others > verdicts.length - needed) return result('contradicted')
  return result('waiting', forgottenAfterMs(verdicts, needed - seen))
}

/** More than half: with an even number, one half cannot outvote the other. */
export function majorityOf(count: number): number {
  return count === 0 ? 0 : Math.floor(count / 2) + 1
}

function forgottenAfterMs(verdicts: readonly ResolverVerdict[], missing: number): number | null {
  const waits = verdicts
    .flatMap((one) => (one.verdict === 'stale' && one.ttlSeconds !== null ? [one.ttlSeconds] : []))
    .sort((a, b) => a - b)
  const last = waits[missing - 1]
  return last === undefined ? null : last * 1000
}
