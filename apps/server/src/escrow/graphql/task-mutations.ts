import type { EscrowPlan } from '@holdfast/core/escrow/escrow-states'
import { usualHoldBlocks } from '@holdfast/core/escrow/plan'
import { askTask, type Changed, change } from './ask-task.ts'
import { builder } from './builder.ts'
import { CustodyEnum, TaskKindEnum } from './enums.ts'
import { TaskRef } from './task-type.ts'

const TaskPayload = builder.objectRef<Changed>('TaskPayload').implement({
  fields: (t) => ({
    task: t.field({ type: TaskRef, resolve: ({ task }) => task }),
    replayed: t.exposeBoolean('replayed', {
      description: 'The request was made before: nothing was done again, and the task is shown as it is now.',
    }),
  }),
})

const MilestoneInput = builder.inputType('MilestoneInput', {
  fields: (t) => ({
    title: t.string({ required: true }),
    payoutMsat: t.field({ type: 'Msat', required: true, description: 'What the worker is paid.' }),
    workMs: t.field({
      type: 'Milliseconds',
      required: true,
      description: 'From the money’s arrival to the proof.',
    }),
    objectionMs: t.field({
      type: 'Milliseconds',
      required: true,
      description: 'From the proof until silence counts as approval.',
    }),
    holdBlocks: t.int({ description: 'How long the money may be locked. Default: what the spans need.' }),
  }),
})

const TaskPlanInput = builder.inputType('TaskPlanInput', {
  description: 'What the buyer may change until somebody relies on it.',
  fields: (t) => ({
    title: t.string({ required: true }),
    description: t.string({ required: true, defaultValue: '' }),
    arbiter: t.field({ type: 'PublicKey', description: 'Decides disputes.' }),
    deadlineAt: t.field({
      type: 'Milliseconds',
      required: true,
      description: 'No milestone is funded after this.',
    }),
    milestones: t.field({ type: [MilestoneInput], required: true }),
  }),
})

const CreateTaskInput = builder.inputType('CreateTaskInput', {
  fields: (t) => ({
    kind: t.field({ type: TaskKindEnum, required: true, defaultValue: 'task' }),
    worker: t.field({ type: 'PublicKey', description: 'The seller of an order; a task has none yet.' }),
    custody: t.field({
      type: CustodyEnum,
      required: true,
      defaultValue: 'hash-locked',
      description:
        '`COORDINATED` tasks can be funded before a worker is known; `custodies` says what there is.',
    }),
    plan: t.field({ type: TaskPlanInput, required: true }),
  }),
})

const UpdateTaskInput = builder.inputType('UpdateTaskInput', {
  fields: (t) => ({
    taskId: t.id({ required: true }),
    plan: t.field({ type: TaskPlanInput, required: true, description: 'The whole of it.' }),
  }),
})

const TaskInput = builder.inputType('TaskInput', {
  fields: (t) => ({ taskId: t.id({ required: true }) }),
})

const ApplyToTaskInput = builder.inputType('ApplyToTaskInput', {
  fields: (t) => ({
    taskId: t.id({ required: true }),
    message: t.string({ required: true, defaultValue: '' }),
  }),
})

const AssignWorkerInput = builder.inputType('AssignWorkerInput', {
  fields: (t) => ({
    taskId: t.id({ required: true }),
    worker: t.field({ type: 'PublicKey', required: true, description: 'One of those who applied.' }),
  }),
})

builder.mutationFields((t) => ({
  createTask: t.field({
    type: TaskPayload,
    description: 'Writes a draft, which only its buyer sees; `publishTask` makes it known.',
    args: { input: t.arg({ type: CreateTaskInput, required: true }) },
    resolve: (_, { input: { kind, worker = null, custody, plan } }, context) =>
      change(context, {
        prepare: async () => null,
        work: (tx, by) => context.escrows.create(tx, { by, kind, worker, custody, plan: planOf(plan) }),
      }),
  }),
  updateTask: t.field({
    type: TaskPayload,
    description: 'The buyer’s, until somebody relies on it. Whoever applied must apply again.',
    args: { input: t.arg({ type: UpdateTaskInput, required: true }) },
    resolve: (_, { input: { taskId, plan } }, context) =>
      askTask(context, taskId, { kind: 'update', plan: planOf(plan) }),
  }),
  publishTask: t.field({
    type: TaskPayload,
    description: 'A task opens for applications; the seller of an order is asked for an invoice.',
    args: { input: t.arg({ type: TaskInput, required: true }) },
    resolve: (_, { input: { taskId } }, context) => askTask(context, taskId, { kind: 'publish' }),
  }),
  applyToTask: t.field({
    type: TaskPayload,
    args: { input: t.arg({ type: ApplyToTaskInput, required: true }) },
    resolve: (_, { input: { taskId, message } }, context) =>
      askTask(context, taskId, { kind: 'apply', message }),
  }),
  assignWorker: t.field({
    type: TaskPayload,
    description: 'The buyer’s; another one as long as no money is locked.',
    args: { input: t.arg({ type: AssignWorkerInput, required: true }) },
    resolve: (_, { input: { taskId, worker } }, context) =>
      askTask(context, taskId, { kind: 'assign', worker }),
  }),
  cancelTask: t.field({
    type: TaskPayload,
    description: 'The buyer’s: what is not funded ends. Locked money is not the buyer’s to take back.',
    args: { input: t.arg({ type: TaskInput, required: true }) },
    resolve: (_, { input: { taskId } }, context) => askTask(context, taskId, { kind: 'cancel' }),
  }),
}))

function planOf({ arbiter = null, milestones, ...rest }: typeof TaskPlanInput.$inferInput): EscrowPlan {
  return {
    ...rest,
    arbiter,
    milestones: milestones.map(({ holdBlocks, ...milestone }) => ({
      ...milestone,
      holdBlocks: holdBlocks ?? usualHoldBlocks(milestone),
    })),
  }
}
