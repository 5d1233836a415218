import { refuse } from '@holdfast/core'
import type { Application } from '@holdfast/core/escrow/escrow-states'
import { RefusalError } from '../../platform/http/problem.ts'
import { builder } from './builder.ts'
import { ChangeRef } from './change-type.ts'
import { CustodyEnum, RoleEnum, TaskKindEnum, TaskPhaseEnum } from './enums.ts'
import { MAX_CHANGES } from './follow-task.ts'
import { MilestoneRef } from './milestone-type.ts'
import { applicationsFor, type TaskView } from './task-view.ts'

export const TaskRef = builder.objectRef<TaskView>('Task')

const ApplicationRef = builder.objectRef<Application>('Application').implement({
  description: 'A key that offers to do a task.',
  fields: (t) => ({
    worker: t.expose('worker', { type: 'PublicKey' }),
    message: t.exposeString('message'),
    appliedAt: t.expose('at', { type: 'Milliseconds' }),
    prematureSettlements: t.int({
      description:
        'How many milestones of all tasks on this server were claimed before their release with the preimage of this key’s invoice: it came out too early.',
      resolve: ({ worker }, _args, context) => context.prematureSettlements(worker),
    }),
  }),
})

TaskRef.implement({
  description: 'An escrow: a task or an order, whose money is locked milestone by milestone.',
  fields: (t) => ({
    id: t.id({ resolve: ({ escrow }) => escrow.id }),
    kind: t.field({ type: TaskKindEnum, resolve: ({ escrow }) => escrow.kind }),
    custody: t.field({ type: CustodyEnum, resolve: ({ escrow }) => escrow.custody }),
    phase: t.field({ type: TaskPhaseEnum, resolve: ({ escrow }) => escrow.phase }),
    title: t.string({ resolve: ({ escrow }) => escrow.title }),
    description: t.string({ resolve: ({ escrow }) => escrow.description }),
    buyer: t.field({ type: 'PublicKey', resolve: ({ escrow }) => escrow.buyer }),
    worker: t.field({ type: 'PublicKey', nullable: true, resolve: ({ escrow }) => escrow.worker }),
    arbiter: t.field({
      type: 'PublicKey',
      nullable: true,
      description: 'Null: a dispute ends by agreement, or by the guardian’s refund.',
      resolve: ({ escrow }) => escrow.arbiter,
    }),
    role: t.field({ type: RoleEnum, description: 'Yours.', resolve: ({ role }) => role }),
    createdAt: t.field({ type: 'Milliseconds', resolve: ({ escrow }) => escrow.createdAt }),
    deadlineAt: t.field({
      type: 'Milliseconds',
      description: 'No milestone is funded after this.',
      resolve: ({ escrow }) => escrow.deadlineAt,
    }),
    endedAt: t.field({
      type: 'Milliseconds',
      nullable: true,
      resolve: ({ escrow }) => ('endedAt' in escrow ? escrow.endedAt : null),
    }),
    applications: t.field({
      type: [ApplicationRef],
      description: 'All of them for the buyer, your own for you, none for others.',
      resolve: applicationsFor,
    }),
    applicationCount: t.int({ resolve: ({ escrow }) => escrow.applications.length }),
    payoutMsat: t.field({
      type: 'Msat',
      description: 'Of all milestones.',
      resolve: ({ escrow }) => total(escrow.milestones.map(({ terms }) => terms.payoutMsat)),
    }),
    feeMsat: t.field({
      type: 'Msat',
      description: 'Of all milestones.',
      resolve: ({ escrow }) => total(escrow.milestones.map(({ terms }) => terms.feeMsat)),
    }),
    milestones: t.field({
      type: [MilestoneRef],
      resolve: (task) => task.escrow.milestones.map((milestone) => ({ task, milestone })),
    }),
    changes: t.field({
      type: [ChangeRef],
      description: 'Its journal, oldest first.',
      args: {
        after: t.arg.int({
          required: true,
          defaultValue: 0,
          description: 'The `seq` of the last one known.',
        }),
        first: t.arg.int({ required: true, defaultValue: 20, description: `1 … ${MAX_CHANGES}.` }),
      },
      resolve: async (task, { after, first }, context) => {
        if (first < 1 || first > MAX_CHANGES || after < 0) throw new RefusalError(refuse('REQUEST_INVALID'))
        const changes = await context.changes(task.escrow.id, { after, limit: first })
        return changes.map((change) => ({ task, change }))
      },
    }),
    milestone: t.field({
      type: MilestoneRef,
      args: { index: t.arg.int({ required: true, description: 'They count from 0.' }) },
      resolve: (task, { index }) => milestoneView(task, index),
    }),
  }),
})

/** Throws ESCROW_NOT_FOUND when there is no such milestone. */
export function milestoneView(task: TaskView, index: number) {
  const milestone = task.escrow.milestones[index]
  if (milestone === undefined) throw new RefusalError(refuse('ESCROW_NOT_FOUND', { milestone: index }))
  return { task, milestone }
}

function total(amounts: readonly bigint[]): bigint {
  return amounts.reduce((sum, amount) => sum + amount, 0n)
}
