import { setImmediate as allPromises } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { makeRightOfWay, type RightOfWay } from './right-of-way.ts'

const running = new AbortController().signal

/** A clock that the test moves; `started` are the times at which jobs began. */
function world() {
  let now = 0
  const waiting = new Set<{ at: number; wake: () => void }>()
  const way: RightOfWay = makeRightOfWay({
    now: () => now,
    wait: (ms, signal) =>
      new Promise((resolve) => {
        waiting.add({ at: now + ms, wake: resolve })
        signal.addEventListener('abort', () => resolve())
      }),
  })
  const started: number[] = []
  return {
    way,
    started,
    async pass(ms: number) {
      for (const until = now + ms; now < until; ) {
        now = Math.min(until, ...[...waiting].map(({ at }) => at))
        for (const one of [...waiting].filter(({ at }) => at <= now)) {
          waiting.delete(one)
          one.wake()
        }
        await allPromises()
      }
    },
    async startJobs(count: number, signal = running) {
      for (let job = 0; job < count; job++) void way.turn(signal).then(() => started.push(now))
      await allPromises()
    },
    /** A request that is being served until the returned function is called. */
    async request() {
      const { promise, resolve } = Promise.withResolvers<void>()
      const served = way.request(() => promise)
      await allPromises()
      return async () => {
        resolve()
        await served
      }
    },
  }
}

test('without requests jobs start at once', async () => {
  const { started, startJobs } = world()
  await startJobs(20)
  expect(started).toHaveLength(20)
})

test('while a request is served jobs start one after the other', async () => {
  const { started, startJobs, request, pass } = world()
  await request()
  await startJobs(4)
  await pass(1_000)
  expect(started).toEqual([0, 250, 500, 750])
})

test('a short while after the last request those that wait start together', async () => {
  const { started, startJobs, request, pass } = world()
  const end = await request()
  await startJobs(8)
  await end()
  expect(started).toEqual([0])
  await pass(100)
  expect(started).toHaveLength(8)
  expect(Math.max(...started)).toBeLessThanOrEqual(50)
})

/** Serves so many requests, one after the other, that took so long each. */
async function serve({ request, pass }: ReturnType<typeof world>, count: number, ms: number) {
  for (let served = 0; served < count; served++) {
    const end = await request()
    await pass(ms)
    await end()
  }
}

test('slow requests make jobs rarer, but never rarer than four a second; quick ones make them more frequent again', async () => {
  const slow = world()
  await serve(slow, 50, 20)
  await slow.request()
  await slow.startJobs(5)
  const began = slow.started[0]!
  await slow.pass(1_000)
  expect(slow.started.map((at) => at - began)).toEqual([0, 250, 500, 750, 1_000])

  await serve(slow, 500, 1)
  await slow.request()
  slow.started.length = 0
  await slow.startJobs(11)
  await slow.pass(1_000)
  expect(slow.started.at(-1)! - slow.started[0]!).toBe(40)
})

test('after a rest nobody knows how many requests will come: jobs are as rare as may be again', async () => {
  const rested = world()
  await serve(rested, 500, 1)
  await rested.pass(1_000)
  await rested.request()
  await rested.startJobs(3)
  const began = rested.started[0]!
  await rested.pass(1_000)
  expect(rested.started.map((at) => at - began)).toEqual([0, 250, 500])
})

test('a request alone is no crowd; two at once are, and one right after another', async () => {
  const { way, request, pass } = world()
  const end = await request()
  expect(way.isCrowded()).toBe(false)
  const endSecond = await request()
  expect(way.isCrowded()).toBe(true)
  await endSecond()
  await end()
  expect(way.isCrowded()).toBe(true)
  await pass(30)
  expect(way.isCrowded()).toBe(false)
})

test('a request that fails is over, too', async () => {
  const { way, started, startJobs, pass } = world()
  await expect(way.request(() => Promise.reject(new Error('a fault')))).rejects.toThrow('a fault')
  await pass(30)
  await startJobs(3)
  expect(started).toHaveLength(3)
})

test('who stops does not wait for a turn', async () => {
  const { started, startJobs, request } = world()
  const stopping = new AbortController()
  await request()
  await startJobs(5, stopping.signal)
  expect(started).toHaveLength(1)
  stopping.abort()
  await allPromises()
  expect(started).toHaveLength(5)
})
