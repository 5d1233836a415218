import { expect, test } from 'vitest'
import { systemClock } from './clock.ts'

test('sleeping ends by itself', async () => {
  const before = systemClock.now()
  await systemClock.sleep(20, new AbortController().signal)
  await systemClock.sleep(1)
  expect(systemClock.now() - before).toBeGreaterThanOrEqual(19)
  expect(systemClock.random()).toBeLessThan(1)
})

test('sleeping ends early, with the reason, when the signal is aborted', async () => {
  const stop = new AbortController()
  const reason = new Error('enough')
  const sleeping = systemClock.sleep(60_000, stop.signal)
  stop.abort(reason)
  await expect(sleeping).rejects.toBe(reason)
  await expect(systemClock.sleep(60_000, stop.signal)).rejects.toBe(reason)
})
