import { describe, expect, test } from 'vitest'
import { HoldfastError } from '../holdfast-error.ts'
import { manualClock } from '../testing/scripted-server.ts'
import { followUpdates } from './follow-updates.ts'

type Update = { readonly resume: string; readonly last?: boolean }

function failed(code: string, status = 0, data: Record<string, unknown> = {}) {
  return new HoldfastError({ code, status, title: '', detail: '', requestId: null, data })
}

/** Plays one connection after the other; an error ends its connection. */
function play(...connections: (Update | Error)[][]) {
  const asked: (string | null)[] = []
  const clock = manualClock()
  const subscribe = async function* (after: string | null) {
    asked.push(after)
    const connection = connections.shift()
    if (!connection) throw new Error('nothing more was expected')
    for (const step of connection) {
      if (step instanceof Error) throw step
      yield step
    }
  }
  const run = async (options: { after?: string; signal?: AbortSignal } = {}) => {
    const seen: string[] = []
    const troubles: string[] = []
    const updates = followUpdates(subscribe, ({ last }) => last === true, clock, {
      ...options,
      onTrouble: ({ code }) => troubles.push(code),
    })
    for await (const { resume } of updates) seen.push(resume)
    return { seen, troubles, asked, slept: clock.slept }
  }
  return { run, asked, clock, subscribe }
}

const end: Update = { resume: 'z', last: true }

describe('updates', () => {
  test('go on where the last one was, also when the server just ended the connection', async () => {
    const story = play([{ resume: 'a' }], [{ resume: 'b' }, failed('NETWORK_FAILED')], [end])
    expect(await story.run({ after: '0' })).toMatchObject({
      seen: ['a', 'b', 'z'],
      asked: ['0', 'a', 'b'],
      troubles: ['NETWORK_FAILED'],
    })
  })

  test('are asked for ever more slowly while nothing comes, and quickly again afterwards', async () => {
    const down = () => [failed('NETWORK_FAILED')]
    const story = play(down(), down(), down(), [{ resume: 'a' }, failed('OVERLOADED', 503)], [end])
    expect((await story.run()).slept).toEqual([250, 500, 1_000, 250])
  })

  test('are asked for ever more slowly, too, when each connection tells only what is known', async () => {
    const known = () => [{ resume: 'a' }]
    const story = play(known(), known(), known(), known(), [end])
    expect((await story.run()).slept).toEqual([250, 500, 1_000, 2_000])
  })

  test('are asked for when the server wants to be asked', async () => {
    const story = play([failed('RATE_LIMITED', 429, { retryAfterSeconds: 30 })], [end])
    expect((await story.run()).slept).toEqual([30_000])
  })

  test('begin with how things are when the server no longer knows the token', async () => {
    const story = play([failed('RESUME_TOKEN_INVALID', 400)], [end])
    expect((await story.run({ after: 'old' })).asked).toEqual(['old', null])
  })

  test.each([
    ['a refusal', failed('ESCROW_NOT_FOUND', 404)],
    ['a fault of the caller’s', new TypeError('no')],
  ])('end with %s', async (_what, error) => {
    await expect(play([error]).run()).rejects.toBe(error)
  })

  test('are not begun when the signal was aborted before, and end while they wait for the next try', async () => {
    const reason = new Error('enough')
    await expect(play([failed('NETWORK_FAILED')]).run({ signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    )
    const stop = new AbortController()
    const story = play([failed('NETWORK_FAILED')])
    const updates = followUpdates(story.subscribe, () => false, story.clock, {
      signal: stop.signal,
      onTrouble: () => stop.abort(reason),
    })
    await expect(updates.next()).rejects.toBe(reason)
  })
})
