import { refuse } from '@holdfast/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { LiveFollowerOptions } from '../../platform/journal/live-tail.ts'
import type { JournalEntry } from '../../platform/journal/read-entries.ts'
import { makeLog } from '../../platform/log.ts'
import { startEscrowFeed } from './escrow-feed.ts'

const log = makeLog({ level: 'silent' })
const entry = (stream: string, entityId: string) => ({ stream, entityId }) as JournalEntry

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

test('wakes those who wait for the escrow, and no others', async () => {
  const journal = handMadeJournal()
  const feed = await startEscrowFeed({ journal, log })
  const woken: string[] = []
  const leave = feed.subscribe('a', () => woken.push('first of a'))
  feed.subscribe('a', () => woken.push('second of a'))
  feed.subscribe('b', () => woken.push('b'))
  const { onEntries } = journal.followed[0]!
  await onEntries([entry('escrow', 'a'), entry('name', 'b'), entry('escrow', 'c')])
  expect(woken).toEqual(['first of a', 'second of a'])
  leave()
  leave()
  await onEntries([entry('escrow', 'a')])
  expect(woken).toEqual(['first of a', 'second of a', 'second of a'])
  expect(feed.watched()).toEqual(['a', 'b'])
  feed.stop()
  expect(journal.stopped).toBe(1)
})

test('a journal that is lost is followed again, and all look what they have missed', async () => {
  const journal = handMadeJournal()
  const feed = await startEscrowFeed({ journal, log })
  const wake = vi.fn()
  feed.subscribe('a', wake)
  journal.faults.push(new Error('still away'))
  journal.followed[0]!.onEnd?.(new Error('away'))
  await vi.advanceTimersByTimeAsync(1_000)
  expect({ followed: journal.followed.length, woken: wake.mock.calls.length }).toEqual({
    followed: 1,
    woken: 0,
  })
  await vi.advanceTimersByTimeAsync(1_000)
  expect({ followed: journal.followed.length, woken: wake.mock.calls.length }).toEqual({
    followed: 2,
    woken: 1,
  })
  feed.stop()
})

test('after its end nothing is followed again', async () => {
  const journal = handMadeJournal()
  const feed = await startEscrowFeed({ journal, log })
  journal.followed[0]!.onEnd?.(new Error('away'))
  feed.stop()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(journal.followed).toHaveLength(1)
})

test('nor is what was just being followed again', async () => {
  const journal = handMadeJournal()
  const feed = await startEscrowFeed({ journal, log })
  const { promise, resolve } = Promise.withResolvers<void>()
  journal.answers = promise
  journal.followed[0]!.onEnd?.(new Error('away'))
  await vi.advanceTimersByTimeAsync(1_000)
  feed.stop()
  resolve()
  await vi.advanceTimersByTimeAsync(5_000)
  expect({ followed: journal.followed.length, stopped: journal.stopped }).toEqual({ followed: 2, stopped: 2 })
})

test('the end of the journal is always known', async () => {
  const journal = { followLive: async () => refuse('RESUME_TOKEN_INVALID') }
  await expect(startEscrowFeed({ journal, log })).rejects.toThrow('RESUME_TOKEN_INVALID')
})
