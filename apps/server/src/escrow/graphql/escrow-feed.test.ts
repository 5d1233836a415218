import { refuse } from '@holdfast/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { LiveFollowerOptions } from '../../platform/journal/live-tail.ts'
import type { JournalEntry } from '../../platform/journal/read-entries.ts'
import { makeLog } from '../../platform/log.ts'
import { makeEscrowFeed } from './escrow-feed.ts'

const log = makeLog({ level: 'silent' })
const entry = (stream: string, entityId: string) => ({ stream, entityId }) as JournalEntry
const LONG_MS = 10 * 60_000

/** A journal in the hands of the test. */
function handMadeJournal() {
  const followed: LiveFollowerOptions[] = []
  const faults: Error[] = []
  return {
    followed,
    faults,
    stopped: 0,
    answers: Promise.resolve(),
    async followLive(options: LiveFollowerOptions) {
      await this.answers
      const fault = faults.shift()
      if (fault) throw fault
      followed.push(options)
      return { token: () => '', stop: () => void this.stopped++ }
    },
  }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const aMoment = () => vi.advanceTimersByTimeAsync(0)

test('wakes those who wait for the escrow, and no others', async () => {
  const journal = handMadeJournal()
  const feed = makeEscrowFeed({ journal, log })
  const woken: string[] = []
  const leave = feed.subscribe('a', () => woken.push('first of a'))
  feed.subscribe('a', () => woken.push('second of a'))
  feed.subscribe('b', () => woken.push('b'))
  await aMoment()
  // What happened until the journal was followed.
  expect(woken.splice(0)).toEqual(['first of a', 'second of a', 'b'])
  const [follower, ...others] = journal.followed
  expect(others).toEqual([])
  await follower!.onEntries([entry('escrow', 'a'), entry('name', 'b'), entry('escrow', 'c')])
  expect(woken.splice(0)).toEqual(['first of a', 'second of a'])
  leave()
  leave()
  await follower!.onEntries([entry('escrow', 'a')])
  expect(woken).toEqual(['second of a'])
  expect(feed.watched()).toEqual(['a', 'b'])
  feed.stop()
  await aMoment()
  expect(journal.stopped).toBe(1)
})

test('follows the journal only for somebody, and a while longer', async () => {
  const journal = handMadeJournal()
  const feed = makeEscrowFeed({ journal, log })
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(journal.followed).toHaveLength(0)
  feed.subscribe('a', () => undefined)()
  await vi.advanceTimersByTimeAsync(59_000)
  const leave = feed.subscribe('b', () => undefined)
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect({ followed: journal.followed.length, stopped: journal.stopped }).toEqual({ followed: 1, stopped: 0 })
  leave()
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect({ followed: journal.followed.length, stopped: journal.stopped }).toEqual({ followed: 1, stopped: 1 })
  feed.subscribe('c', () => undefined)
  await aMoment()
  expect({ followed: journal.followed.length, stopped: journal.stopped }).toEqual({ followed: 2, stopped: 1 })
  feed.stop()
})

test('a journal that is lost is followed again, and all look what they have missed', async () => {
  const journal = handMadeJournal()
  const feed = makeEscrowFeed({ journal, log })
  const wake = vi.fn()
  feed.subscribe('a', wake)
  await aMoment()
  journal.faults.push(new Error('still away'))
  journal.followed[0]!.onEnd?.(new Error('away'))
  await vi.advanceTimersByTimeAsync(1_000)
  expect({ followed: journal.followed.length, woken: wake.mock.calls.length }).toEqual({
    followed: 1,
    woken: 1,
  })
  await vi.advanceTimersByTimeAsync(1_000)
  expect({ followed: journal.followed.length, woken: wake.mock.calls.length }).toEqual({
    followed: 2,
    woken: 2,
  })
  feed.stop()
})

test('after its end nothing is followed again', async () => {
  const journal = handMadeJournal()
  const feed = makeEscrowFeed({ journal, log })
  feed.subscribe('a', () => undefined)
  await aMoment()
  journal.followed[0]!.onEnd?.(new Error('away'))
  feed.stop()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(journal.followed).toHaveLength(1)
})

test('nor is what was just being followed again', async () => {
  const journal = handMadeJournal()
  const feed = makeEscrowFeed({ journal, log })
  feed.subscribe('a', () => undefined)
  await aMoment()
  const { promise, resolve } = Promise.withResolvers<void>()
  journal.answers = promise
  journal.followed[0]!.onEnd?.(new Error('away'))
  await vi.advanceTimersByTimeAsync(1_000)
  feed.stop()
  resolve()
  await vi.advanceTimersByTimeAsync(5_000)
  // The first has ended by itself.
  expect({ followed: journal.followed.length, stopped: journal.stopped }).toEqual({ followed: 2, stopped: 1 })
})

test('the end of the journal is always known: who is refused it asks again', async () => {
  const followLive = vi.fn(async () => refuse('RESUME_TOKEN_INVALID'))
  const feed = makeEscrowFeed({ journal: { followLive }, log })
  feed.subscribe('a', () => undefined)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(followLive).toHaveBeenCalledTimes(2)
  feed.stop()
})
