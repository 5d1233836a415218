import { isRefusal, refuse } from '@holdfast/core'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import { describe, expect, test, vi } from 'vitest'
import { RefusalError } from '../../platform/http/problem.ts'
import { type FollowDeps, followTask, MAX_CHANGES, type TaskUpdate } from './follow-task.ts'
import type { Change } from './task-changes.ts'
import type { TaskView } from './task-view.ts'

/** A task of which only the number of its changes is known. */
function handMadeTask(head: number) {
  const task = {
    head,
    wakes: new Set<() => void>(),
    seats: 0,
    escrow: {},
  }
  const change = (seq: number) => ({ seq }) as Change
  const deps: FollowDeps = {
    feed: {
      subscribe(_id, wake) {
        task.wakes.add(wake)
        return () => void task.wakes.delete(wake)
      },
    },
    enter() {
      task.seats++
      return () => void task.seats--
    },
    viewer: async () => null,
    look: async ({ after, limit }) => {
      const length = Math.min(task.head - after, limit)
      const changes = Array.from({ length }, (_, at) => change(after + at + 1))
      return { escrow: task.escrow as EscrowState, changes }
    },
    show: (escrow) => ({ at: task.head, escrow }) as unknown as TaskView,
    last: async () => task.head,
  }
  const append = (count: number) => {
    task.head += count
    for (const wake of task.wakes) wake()
  }
  return { ...task, deps, append, task }
}

async function next(updates: ReturnType<typeof followTask>): Promise<TaskUpdate> {
  const { value } = await updates.next()
  if (isRefusal(value) || value === undefined) throw new Error(`refused or over: ${JSON.stringify(value)}`)
  return value
}

const seqs = ({ changes }: TaskUpdate) => changes.map(({ seq }) => seq)

describe('a task is followed', () => {
  test('from now on: the first update holds no changes', async () => {
    const { deps, append } = handMadeTask(7)
    const updates = followTask(deps, 'a', null)
    expect(seqs(await next(updates))).toEqual([])
    append(2)
    expect(seqs(await next(updates))).toEqual([8, 9])
    await updates.return?.()
  })

  test.each([false, true])(
    'from a token behind which nothing has happened, at once; ended: %s',
    async (hasEnded) => {
      const { deps, append, task } = handMadeTask(7)
      if (hasEnded) task.escrow = { endedAt: 1 }
      const before = followTask(deps, 'a', null)
      const { resume } = await next(before)
      await before.return?.()
      const updates = followTask(deps, 'a', resume)
      expect(await next(updates)).toMatchObject({ task: { escrow: task.escrow }, changes: [], resume })
      append(1)
      expect(seqs(await next(updates))).toEqual([8])
      await updates.return?.()
    },
  )

  test('what happens while nobody asks is told at the next question, at once', async () => {
    const { deps, append } = handMadeTask(0)
    const updates = followTask(deps, 'a', null)
    await next(updates)
    append(1)
    append(1)
    append(1)
    expect(seqs(await next(updates))).toEqual([1, 2, 3])
    await updates.return?.()
  })

  test.each([1, MAX_CHANGES, 3 * MAX_CHANGES + 5])(
    'the update that shows the end has all that has led to it: %i changes',
    async (count) => {
      const { deps, append, task } = handMadeTask(3)
      const updates = followTask(deps, 'a', null)
      await next(updates)
      task.escrow = { endedAt: 1 }
      append(count)
      const last = await next(updates)
      expect(seqs(last)).toEqual(Array.from({ length: count }, (_, at) => at + 4))
      expect(last.task).toMatchObject({ escrow: { endedAt: 1 } })
      const waiting = next(updates)
      append(1)
      expect(seqs(await waiting)).toEqual([count + 4])
      await updates.return?.()
    },
  )

  test('whoever was away for long is told all of it, a hundred at a time', async () => {
    const { deps, append } = handMadeTask(1)
    const before = followTask(deps, 'a', null)
    const { resume } = await next(before)
    await before.return?.()
    append(2 * MAX_CHANGES + 5)
    const updates = followTask(deps, 'a', resume)
    const seen = [...seqs(await next(updates)), ...seqs(await next(updates)), ...seqs(await next(updates))]
    expect(seen).toEqual(Array.from({ length: 2 * MAX_CHANGES + 5 }, (_, at) => at + 2))
    await updates.return?.()
  })

  test('a wake for nothing tells nothing', async () => {
    const { deps, append } = handMadeTask(1)
    const updates = followTask(deps, 'a', null)
    await next(updates)
    const waiting = next(updates)
    append(0)
    append(1)
    expect(seqs(await waiting)).toEqual([2])
    await updates.return?.()
  })
})

describe('it ends', () => {
  test('when the follower leaves, also while it waits', async () => {
    const { deps, task } = handMadeTask(1)
    const updates = followTask(deps, 'a', null)
    await next(updates)
    const waiting = updates.next()
    expect({ wakes: task.wakes.size, seats: task.seats }).toEqual({ wakes: 1, seats: 1 })
    await updates.return?.()
    expect((await waiting).done).toBe(true)
    expect({ wakes: task.wakes.size, seats: task.seats }).toEqual({ wakes: 0, seats: 0 })
  })

  test('when the server stops', async () => {
    const { deps, task } = handMadeTask(1)
    const closing = new AbortController()
    const updates = followTask({ ...deps, closing: closing.signal }, 'a', null)
    await next(updates)
    const waiting = updates.next()
    closing.abort()
    expect((await waiting).done).toBe(true)
    expect({ wakes: task.wakes.size, seats: task.seats }).toEqual({ wakes: 0, seats: 0 })
    const late = followTask({ ...deps, closing: closing.signal }, 'a', null)
    expect((await late.next()).done).toBe(true)
  })

  test.each<[string, Partial<FollowDeps>]>([
    [
      'when it may not be seen any more',
      {
        show() {
          throw new RefusalError(refuse('ESCROW_NOT_FOUND'))
        },
      },
    ],
    [
      'when the session has ended',
      { viewer: () => Promise.reject(new RefusalError(refuse('SESSION_INVALID'))) },
    ],
    [
      'when too many follow',
      {
        enter: () => {
          throw new RefusalError(refuse('RATE_LIMITED'))
        },
      },
    ],
  ])('%s, with the reason', async (_, broken) => {
    const { deps, task } = handMadeTask(1)
    const updates = followTask({ ...deps, ...broken }, 'a', null)
    expect(isRefusal((await updates.next()).value)).toBe(true)
    expect((await updates.next()).done).toBe(true)
    expect({ wakes: task.wakes.size, seats: task.seats }).toEqual({ wakes: 0, seats: 0 })
  })

  test('with a fault, which is not called a refusal', async () => {
    const { deps, task } = handMadeTask(1)
    const look = vi.fn(() => Promise.reject(new Error('the database is away')))
    const updates = followTask({ ...deps, look }, 'a', null)
    await expect(updates.next()).rejects.toThrow('the database is away')
    expect(task.seats).toBe(0)
  })
})
