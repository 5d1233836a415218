import { isDeepStrictEqual } from 'node:util'
import { isRefusal, type Refusal, refuse } from '@holdfast/core'
import type { MilestoneState } from '@holdfast/core/escrow/milestone-states'
import { orThrow } from '../../platform/http/problem.ts'
import { builder } from './builder.ts'
import { ChangeRef } from './change-type.ts'
import type { TaskUpdate } from './follow-task.ts'
import { MilestoneRef } from './milestone-type.ts'
import { milestoneView, TaskRef } from './task-type.ts'

const RESUME = 'Give it back as `after`, and nothing behind this update is missed.'
const AFTER =
  '`resume` of the last update that you have. The first update comes at once, with it or without; with it, and with all that has happened since.'

const TaskUpdateRef = builder.objectRef<TaskUpdate>('TaskUpdate').implement({
  fields: (t) => ({
    task: t.field({ type: TaskRef, description: 'As it is now.', resolve: ({ task }) => task }),
    changes: t.field({
      type: [ChangeRef],
      description: 'What has happened since the update before.',
      resolve: ({ task, changes }) => changes.map((change) => ({ task, change })),
    }),
    resume: t.exposeString('resume', { description: RESUME }),
  }),
})

type MilestoneUpdate = TaskUpdate & { readonly index: number }

const MilestoneUpdateRef = builder.objectRef<MilestoneUpdate>('MilestoneUpdate').implement({
  fields: (t) => ({
    task: t.field({ type: TaskRef, description: 'As it is now.', resolve: ({ task }) => task }),
    milestone: t.field({
      type: MilestoneRef,
      description: 'As it is now.',
      resolve: ({ task, index }) => milestoneView(task, index),
    }),
    resume: t.exposeString('resume', { description: RESUME }),
  }),
})

builder.subscriptionFields((t) => ({
  taskUpdated: t.field({
    type: TaskUpdateRef,
    args: { id: t.arg.id({ required: true }), after: t.arg.string({ description: AFTER }) },
    subscribe: (_, { id, after }, context) => context.follow(id, after ?? null),
    resolve: (update: TaskUpdate | Refusal) => orThrow(update),
  }),
  milestoneUpdated: t.field({
    type: MilestoneUpdateRef,
    description: 'Only when the milestone has changed.',
    args: {
      taskId: t.arg.id({ required: true }),
      milestone: t.arg.int({ required: true }),
      after: t.arg.string({ description: AFTER }),
    },
    subscribe: async (_, { taskId, milestone, after }, context) =>
      ofMilestone(await context.follow(taskId, after ?? null), milestone),
    resolve: (update: MilestoneUpdate | Refusal) => orThrow(update),
  }),
}))

/** Passes on what shows the milestone in another state; the first update always. Ends when there is none any more. */
function ofMilestone(
  updates: AsyncIterableIterator<TaskUpdate | Refusal>,
  index: number,
): AsyncIterableIterator<MilestoneUpdate | Refusal> {
  let before: MilestoneState | undefined
  let isOver = false
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      while (!isOver) {
        const { value, done } = await updates.next()
        if (done) break
        if (isRefusal(value)) return { value, done: false }
        const milestone = value.task.escrow.milestones[index]
        if (milestone === undefined) {
          isOver = true
          await updates.return?.()
          return { value: refuse('ESCROW_NOT_FOUND', { milestone: index }), done: false }
        }
        if (isDeepStrictEqual(milestone, before)) continue
        before = milestone
        return { value: { ...value, index }, done: false }
      }
      return { value: undefined, done: true }
    },
    async return() {
      await updates.return?.()
      return { value: undefined, done: true }
    },
  }
}
