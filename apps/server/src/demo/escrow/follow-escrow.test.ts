import type { EscrowClient, Milestone, TaskUpdate } from '@holdfast/client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type EscrowWatch, followEscrow } from './follow-escrow.ts'

type Phase = Milestone['phase']

/** What the subscription tells, in the hands of the test. */
let push: (update: TaskUpdate | Error) => void
let watch: EscrowWatch

beforeEach(() => {
  const told: (TaskUpdate | Error)[] = []
  let wake: () => void = () => undefined
  push = (update) => {
    told.push(update)
    wake()
  }
  const watchTask: EscrowClient['watchTask'] = async function* (_id, { signal } = {}) {
    for (;;) {
      signal?.throwIfAborted()
      const update = told.shift()
      if (update instanceof Error) throw update
      if (update) yield update
      else {
        await new Promise<void>((resolve) => {
          wake = resolve
          signal?.addEventListener('abort', () => resolve(), { once: true })
        })
      }
    }
  }
  watch = followEscrow({ watchTask } as EscrowClient, 'task-1')
})
afterEach(async () => {
  await watch.stop()
  vi.useRealTimers()
})

const update = (phase: Phase, parts: { ended?: boolean; seq?: number } = {}) => {
  const { ended = false, seq } = parts
  const endedAt = ended ? 1 : null
  return {
    task: { id: 'task-1', endedAt, milestones: [{ index: 0, phase, endedAt }] },
    changes: seq === undefined ? [] : [{ seq, hash: `hash-${seq}` }],
    resume: '',
  } as unknown as TaskUpdate
}

test('a phase is reached now or later, and the end has the journal’s head', async () => {
  push(update('AWAITING_FUNDS', { seq: 4 }))
  const reached = watch.reach(0, 'HELD')
  push(update('HELD', { seq: 5 }))
  expect(await reached).toMatchObject({ phase: 'HELD' })
  expect(await watch.reach(0, 'HELD')).toMatchObject({ phase: 'HELD' })
  push(update('REFUNDED', { ended: true, seq: 7 }))
  push(update('REFUNDED', { ended: true }))
  expect(await watch.ended()).toMatchObject({
    task: { id: 'task-1' },
    journalHead: 'hash-7',
    journalEntries: 7,
  })
})

test('an invoice that the node makes late is waited for', async () => {
  push(update('AWAITING_FUNDS'))
  const funding = watch.funding(0)
  const later = update('AWAITING_FUNDS')
  const [milestone] = later.task.milestones
  const made = { ...milestone, funding: { invoice: 'lnbcrt1' } } as Milestone
  push({ ...later, task: { ...later.task, milestones: [made] } })
  expect(await funding).toEqual({ invoice: 'lnbcrt1' })
})

test('a milestone that ended otherwise is not waited for', async () => {
  push(update('REFUNDED', { ended: true }))
  await expect(watch.reach(0, 'RELEASED')).rejects.toMatchObject({
    code: 'ESCROW_ENDED_OTHERWISE',
    message: 'Milestone 0 of escrow task-1 is REFUNDED instead of RELEASED.',
  })
})

test('what ends the subscription ends the waiting', async () => {
  const reached = watch.reach(0, 'HELD')
  push(new Error('the task may not be seen any more'))
  await expect(reached).rejects.toThrow('the task may not be seen any more')
  await expect(watch.ended()).rejects.toThrow('the task may not be seen any more')
})

test('waiting has an end', async () => {
  vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort())
  await expect(watch.reach(0, 'HELD')).rejects.toMatchObject({ code: 'ESCROW_TOO_SLOW' })
  vi.restoreAllMocks()
})
