import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decideQuorum, majorityOf, type ResolverVerdict } from './resolver-quorum.ts'

const seen: ResolverVerdict = { verdict: 'seen' }
const other: ResolverVerdict = { verdict: 'other-content', values: 2 }
const unvalidated: ResolverVerdict = { verdict: 'unvalidated' }
const servfail: ResolverVerdict = { verdict: 'servfail', extendedError: null }
const timeout: ResolverVerdict = { verdict: 'timeout', detail: '' }
const alone: ResolverVerdict = { verdict: 'left-alone' }
const notAwaited: ResolverVerdict = { verdict: 'not-awaited' }
const stale = (ttlSeconds: number | null): ResolverVerdict => ({
  verdict: 'stale',
  held: 'nothing',
  ttlSeconds,
})

const CASES: [verdicts: ResolverVerdict[], needed: number, decision: string, retryAfterMs: number | null][] =
  [
    [[], 0, 'confirmed', null],
    [[seen, seen, timeout], 2, 'confirmed', null],
    [[seen, seen, other], 2, 'confirmed', null],
    [[seen, seen, notAwaited], 2, 'confirmed', null],
    [[seen, timeout, timeout], 2, 'waiting', null],
    [[seen, unvalidated, unvalidated], 2, 'waiting', null],
    [[seen, servfail, alone], 2, 'waiting', null],
    // Three of three is unanimity, however it is called.
    [[seen, seen, stale(30)], 3, 'waiting', 30_000],
    [[seen, stale(60), stale(5)], 2, 'waiting', 5_000],
    [[stale(60), stale(5), timeout], 2, 'waiting', 60_000],
    [[stale(60), timeout, timeout], 2, 'waiting', null],
    [[stale(null), stale(5), seen], 3, 'waiting', null],
    [[seen, other, timeout], 2, 'waiting', null],
    [[seen, other, other], 2, 'contradicted', null],
    [[other, seen, seen], 3, 'contradicted', null],
    [[other], 1, 'contradicted', null],
  ]

describe('a quorum', () => {
  test.each(CASES)('of %j with %i needed is %s', (verdicts, needed, decision, retryAfterMs) => {
    const count = verdicts.filter(({ verdict }) => verdict === 'seen').length
    expect(decideQuorum(verdicts, needed)).toEqual({ decision, seen: count, needed, retryAfterMs })
  })

  test.each([
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ])('of %i is by default %i', (count, majority) => {
    expect(majorityOf(count)).toBe(majority)
  })

  const any = fc.constantFrom(
    seen,
    other,
    unvalidated,
    servfail,
    timeout,
    alone,
    notAwaited,
    stale(5),
    stale(null),
  )
  const verdicts = fc.array(any, { minLength: 1, maxLength: 9 })

  test('is confirmed by those who have seen it, and by nothing else', () => {
    fc.assert(
      fc.property(verdicts, fc.nat({ max: 9 }), (all, wanted) => {
        const needed = Math.min(wanted, all.length)
        const count = all.filter(({ verdict }) => verdict === 'seen').length
        expect(decideQuorum(all, needed).decision === 'confirmed').toBe(count >= needed)
      }),
    )
  })

  test('that is waiting is still to be had, if all but the contradicting come round', () => {
    fc.assert(
      fc.property(verdicts, fc.integer({ min: 1, max: 9 }), (all, wanted) => {
        const needed = Math.min(wanted, all.length)
        const best = all.map((one) => (one.verdict === 'other-content' ? one : seen))
        const { decision } = decideQuorum(all, needed)
        expect(decideQuorum(best, needed).decision).toBe(
          decision === 'contradicted' ? 'contradicted' : 'confirmed',
        )
      }),
    )
  })
})
