import { describe, expect, test } from 'vitest'
import { HoldfastError } from '../holdfast-error.ts'
import { manualClock } from '../testing/scripted-server.ts'
import type { EscrowClient } from './escrow-client.ts'
import { type WalletPayment, watchFunding } from './watch-funding.ts'
import { paymentHashOf } from './worker-secret.ts'

const PREIMAGE = '07'.repeat(32)
const HASH = paymentHashOf(PREIMAGE)
const taken: WalletPayment = { state: 'succeeded', preimage: PREIMAGE }

/** What the server answers to each report: a phase of the milestone, or what it is refused with. */
function play(payments: (WalletPayment | Error)[], answers: (string | Error)[] = [], paymentHash = HASH) {
  const clock = manualClock()
  const reports: unknown[] = []
  const troubles: unknown[] = []
  const reportPreimage = async (input: unknown, options: unknown) => {
    reports.push({ input, options })
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    if (answer === undefined || answer instanceof Error) throw answer
    return { milestone: { phase: answer }, replayed: false }
  }
  const lookUp = async () => {
    const payment = payments.length > 1 ? payments.shift() : payments[0]
    if (payment === undefined || payment instanceof Error) throw payment
    return payment
  }
  const end = (signal?: AbortSignal) =>
    watchFunding(
      { escrow: { reportPreimage } as unknown as Pick<EscrowClient, 'reportPreimage'>, clock },
      {
        taskId: 'task',
        milestone: 1,
        paymentHash,
        lookUp,
        onTrouble: (error) => troubles.push(error),
        ...(signal && { signal }),
      },
    )
  return { end, reports, troubles, clock }
}

const refused = (code: string, status: number, data: Record<string, unknown> = {}) =>
  new HoldfastError({ code, status, title: '', detail: '', requestId: null, data })
const wrongPhase = (phase: string) => refused('ESCROW_WRONG_PHASE', 409, { phase })

describe('a preimage that arrives', () => {
  test('is reported at once, with the milestone that it is of', async () => {
    const story = play([{ state: 'pending' }, { state: 'pending' }, taken], ['PREMATURE'])
    expect(await story.end()).toEqual({ outcome: 'premature', phase: 'PREMATURE' })
    expect(story.reports).toMatchObject([{ input: { taskId: 'task', milestone: 1, preimage: PREIMAGE } }])
    expect(story.clock.slept).toEqual([2_000, 2_000])
  })

  test('is one in capitals, too', async () => {
    const preimage = 'AB'.repeat(32)
    const story = play(
      [{ state: 'succeeded', preimage }],
      ['PREMATURE'],
      paymentHashOf(preimage.toLowerCase()),
    )
    expect(await story.end()).toMatchObject({ outcome: 'premature' })
    expect(story.reports).toMatchObject([{ input: { preimage: preimage.toLowerCase() } }])
  })

  test('is reported again and again until the server has it', async () => {
    const story = play(
      [taken],
      [
        refused('NETWORK_FAILED', 0),
        refused('NODE_OFFLINE', 503),
        refused('RATE_LIMITED', 429, { retryAfterSeconds: 20 }),
        wrongPhase('awaiting-funds'),
        'HELD',
      ],
    )
    expect(await story.end()).toEqual({ outcome: 'premature', phase: 'HELD' })
    expect(story.clock.slept).toEqual([250, 500, 20_000, 2_000])
    expect(story.troubles).toHaveLength(4)
  })

  test.each([
    ['claiming', 'released'],
    ['released', 'released'],
    ['lost', 'released'],
    ['premature', 'premature'],
    ['repaying', 'premature'],
    ['repaid', 'premature'],
    ['refunded', 'disputed'],
    ['cancelled', 'disputed'],
    ['expired', 'disputed'],
  ])('when the milestone is %s already: %s', async (phase, outcome) => {
    const end = { outcome, phase: phase.toUpperCase() }
    expect(await play([taken], [wrongPhase(phase)]).end()).toEqual(end)
    expect(await play([taken], [phase.toUpperCase()]).end()).toEqual(end)
  })

  test('is not reported when it is another payment’s, or none', async () => {
    for (const preimage of ['08'.repeat(32), 'x']) {
      const story = play([{ state: 'succeeded', preimage }])
      await expect(story.end()).rejects.toMatchObject({ code: 'PREIMAGE_WRONG' })
      expect(story.reports).toEqual([])
    }
  })

  test.each([
    ['ESCROW_NOT_FOUND', 404],
    ['ESCROW_WRONG_PARTY', 403],
    ['ESCROW_PREIMAGE_WRONG', 422],
    ['REQUEST_INVALID', 400],
    ['SIGNER_REQUIRED', 0],
  ])('ends the watch when it is refused with %s, which no repetition mends', async (code, status) => {
    await expect(play([taken], [refused(code, status)]).end()).rejects.toMatchObject({ code })
  })

  test.each<[string, Error]>([
    ['a fault of the server', refused('INTERNAL', 500)],
    ['a clock that is wrong', refused('AUTH_EVENT_EXPIRED', 401)],
    ['a page of a proxy', refused('RESPONSE_INVALID', 404)],
    ['a login page in between', refused('RESPONSE_INVALID', 200)],
    ['a signer that is locked', new Error('locked')],
  ])('is not given up for %s', async (_, fault) => {
    const story = play([taken], [fault, fault, 'PREMATURE'])
    expect(await story.end()).toMatchObject({ outcome: 'premature' })
    expect(story.troubles).toEqual([fault, fault])
  })
})

test('a wallet that does not answer is asked again', async () => {
  const fault = new Error('locked')
  const story = play([fault, { state: 'failed' }])
  expect(await story.end()).toEqual({ outcome: 'returned', phase: null })
  expect(story.troubles).toEqual([fault])
})

test('a watch ends with its signal', async () => {
  const reason = new Error('enough')
  await expect(play([taken]).end(AbortSignal.abort(reason))).rejects.toBe(reason)
  const stop = new AbortController()
  const lookUp = async () => {
    stop.abort(reason)
    throw new Error('aborted')
  }
  const watch = { taskId: 't', milestone: 0, paymentHash: HASH, lookUp, signal: stop.signal }
  const escrow = {} as EscrowClient
  await expect(watchFunding({ escrow, clock: manualClock() }, watch)).rejects.toBe(reason)
})
