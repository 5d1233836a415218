import { expect, test } from 'vitest'
import { makeChangeSignal, waitUntil } from './change-signal.ts'

const FOREVER_MS = 60_000

/** Something in a database that is read, and whoever waits for it to be `end`. */
function waiting(waitMs = FOREVER_MS, committed?: string) {
  const signal = makeChangeSignal<string>()
  const stored = { value: 'begin', reads: 0 }
  const look = async (told?: string) => {
    if (told !== undefined) return told
    stored.reads++
    return stored.value
  }
  const answer = waitUntil(signal, 'id', waitMs, look, (seen) => seen === 'end', committed)
  return { signal, stored, answer }
}

const settled = () => new Promise((resolve) => setTimeout(resolve))

test('an end that is told by who has committed it is answered without being read', async () => {
  const { signal, stored, answer } = waiting()
  await settled()
  signal.notify('other', 'end')
  signal.notify('id', 'end')
  expect(await answer).toBe('end')
  expect(stored.reads).toBe(1)
})

test('what is told and is no end is read again: it may have changed since', async () => {
  const { signal, stored, answer } = waiting()
  await settled()
  stored.value = 'end'
  signal.notify('id', 'middle')
  signal.notify('id', 'end')
  expect(await answer).toBe('end')
  expect(stored.reads).toBe(2)
})

test('a change of which nothing is told is read', async () => {
  const { signal, stored, answer } = waiting()
  await settled()
  stored.value = 'end'
  signal.notify('id')
  expect(await answer).toBe('end')
})

test('a change by another instance, which tells nobody here, is seen all the same', async () => {
  const { stored, answer } = waiting()
  await settled()
  stored.value = 'end'
  expect(await answer).toBe('end')
})

test('who has committed it reads nothing before it changes', async () => {
  const { signal, stored, answer } = waiting(FOREVER_MS, 'begin')
  await settled()
  signal.notify('id', 'end')
  expect(await answer).toBe('end')
  expect(stored.reads).toBe(0)
})

test('whoever waits when the server stops is woken', async () => {
  const closing = new AbortController()
  const signal = makeChangeSignal(closing.signal)
  const woken = Promise.all([signal.next('a', FOREVER_MS), signal.next('b', FOREVER_MS)])
  closing.abort()
  expect(await woken).toEqual([null, null])
})

test('whoever waits long enough is answered what there is', async () => {
  expect(await waiting(1).answer).toBe('begin')
})
