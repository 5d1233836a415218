import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { makeIdleLook, startIdleCollection } from './idle-collection.ts'

const MB = 1024 * 1024

describe('a server at rest', () => {
  const seen = { requests: 0, busyShare: 0, usedMb: 60 }
  let collected = 0
  let look: () => void

  beforeEach(() => {
    Object.assign(seen, { requests: 0, busyShare: 0, usedMb: 60 })
    collected = 0
    look = makeIdleLook(
      {
        requests: () => seen.requests,
        busyShare: () => seen.busyShare,
        usedBytes: () => seen.usedMb * MB,
      },
      () => {
        collected++
        seen.usedMb = 60
      },
    )
    look()
  })

  const after = (change: Partial<typeof seen>) => {
    Object.assign(seen, change)
    look()
    return collected
  }

  test('collects what has been left behind, once', () => {
    expect(after({ usedMb: 100 })).toBe(1)
    expect(after({})).toBe(1)
    expect(after({ usedMb: 91 })).toBe(1)
    expect(after({ usedMb: 92 })).toBe(2)
  })

  test('does not collect again what turned out to be in use', () => {
    look = makeIdleLook({ requests: () => 0, busyShare: () => 0, usedBytes: () => seen.usedMb * MB }, () => {
      collected++
    })
    look()
    expect(after({ usedMb: 100 })).toBe(1)
    expect(after({ usedMb: 101 })).toBe(1)
  })

  test('measures from what V8 left when it collected by itself', () => {
    expect(after({ usedMb: 80 })).toBe(0)
    expect(after({ usedMb: 40 })).toBe(0)
    expect(after({ usedMb: 72 })).toBe(1)
  })

  test.each([
    ['a request was sent', { requests: 1 }],
    ['the event loop was busy', { busyShare: 0.1 }],
  ])('is none when %s; then it waits', (_what, busy) => {
    expect(after({ usedMb: 100, ...busy })).toBe(0)
    expect(after({ requests: 0, busyShare: 0.09 })).toBe(1)
  })
})

describe('with a real server', () => {
  const server = createServer((_request, reply) => reply.end())

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(async () => {
    vi.useRealTimers()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  test('looks at requests, at the event loop and at the heap, until it is stopped', async () => {
    const collect = vi.fn()
    const collection = startIdleCollection(server, collect)
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await (await fetch(url)).text()
    vi.advanceTimersByTime(1_000)
    const kept = Array.from({ length: 10 * MB }, (_, index) => index + 0.5)
    await (await fetch(url)).text()
    vi.advanceTimersByTime(1_000)
    expect(collect).not.toHaveBeenCalled()
    await vi.waitFor(() => expect(collect).toHaveBeenCalledOnce(), { timeout: 20_000, interval: 1_000 })
    expect(kept.length).toBe(10 * MB)
    collection.stop()
    expect(vi.getTimerCount()).toBe(0)
    expect(server.listenerCount('request')).toBe(1)
  })

  test('without a way to collect there is nothing to look at', () => {
    startIdleCollection(server, undefined).stop()
    expect(vi.getTimerCount()).toBe(0)
  })
})
