import { describe, expect, test } from 'vitest'
import type { Job } from './index.ts'
import { clientOf, JOB, PAYMENT } from './testing/client-of.ts'
import { manualClock, NOW } from './testing/scripted-server.ts'
import { waitUntilEnded } from './wait-until-ended.ts'

describe('waiting', () => {
  const failure = { code: 'DNS_UNAVAILABLE', title: 'The DNS does not answer.', hint: 'Try again later.' }

  test('for a job tells each change once and ends with the job', async () => {
    const ended = { ...JOB, state: 'succeeded', percent: 100, step: 'done' }
    const { client: holdfast, clock } = clientOf({
      'GET /v1/jobs/job-1': [
        { json: JOB },
        { json: JOB },
        { json: JOB },
        { json: { ...JOB, percent: 60 } },
        { json: ended },
      ],
    })
    const told: number[] = []
    expect(
      await holdfast.waitForJob('job-1', { onProgress: ({ percent }: Job) => told.push(percent) }),
    ).toEqual(ended)
    expect(told).toEqual([20, 60, 100])
    expect(clock.slept).toEqual([100, 150, 225, 100])
  })

  test('is left to the server: it is told how long, and what it waited is not slept again', async () => {
    const clock = manualClock()
    const waits: number[] = []
    const ask = async (waitMs: number) => {
      waits.push(waitMs)
      clock.pass(waits.length === 4 ? 10 : waitMs)
      return waits.length === 4 ? 'ended' : 'running'
    }
    await waitUntilEnded(ask, (state) => state === 'ended', clock, {})
    expect(waits).toEqual([100, 150, 225, 337.5])
    expect(clock.slept).toEqual([])
    expect(clock.now() - NOW).toBe(485)
  })

  test('asks the server for its wait in seconds', async () => {
    const { client: holdfast, seen } = clientOf({
      'GET /v1/jobs/job-1?wait=0.1': [{ json: { ...JOB, state: 'succeeded' } }],
      'GET /v1/payments/pay-1?wait=0.5': [{ json: { ...PAYMENT, state: 'succeeded', feeMsat: '1' } }],
    })
    await holdfast.waitForJob('job-1')
    await holdfast.waitForPayment('pay-1')
    expect(seen.map(({ path }) => path)).toContain('/v1/payments/pay-1?wait=0.5')
  })

  test('for a job that fails ends with the job and its error', async () => {
    const { client: holdfast } = clientOf({
      'GET /v1/jobs/job-1': [{ json: { ...JOB, state: 'failed', error: failure } }],
    })
    expect(await holdfast.waitForJob('job-1')).toMatchObject({ state: 'failed', error: failure })
  })

  test('for a payment goes on while its outcome is unknown', async () => {
    const { client: holdfast } = clientOf({
      'GET /v1/payments/pay-1': [
        { json: PAYMENT },
        { json: { ...PAYMENT, state: 'unknown' } },
        { json: { ...PAYMENT, state: 'succeeded', feeMsat: '1', paymentHash: 'aa' } },
      ],
    })
    const states: string[] = []
    const payment = await holdfast.waitForPayment('pay-1', { onProgress: ({ state }) => states.push(state) })
    expect(states).toEqual(['sending', 'unknown', 'succeeded'])
    expect(payment).toMatchObject({ feeMsat: 1n, paymentHash: 'aa' })
  })

  test('ends after its time, and says that the payment goes on', async () => {
    const { client: holdfast, clock } = clientOf({ 'GET /v1/payments/pay-1': [{ json: PAYMENT }] })
    await expect(holdfast.waitForPayment('pay-1', { timeoutMs: 10_000 })).rejects.toMatchObject({
      code: 'WAIT_TIMED_OUT',
    })
    expect(clock.now() - NOW).toBeLessThanOrEqual(10_000)
    expect(clock.slept.at(-1)).toBe(2000)
  })

  test('ends when its signal is aborted', async () => {
    const { client: holdfast } = clientOf({ 'GET /v1/jobs/job-1': [{ json: JOB }] })
    const stop = new AbortController()
    const reason = new Error('enough')
    const waiting = holdfast.waitForJob('job-1', {
      signal: stop.signal,
      onProgress: () => stop.abort(reason),
    })
    await expect(waiting).rejects.toBe(reason)
  })
})
