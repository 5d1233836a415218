import { isRefusal, type Refusal } from '@holdfast/core'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import { authorize } from '@holdfast/core/escrow/roles'
import { askTask, type Changed, change, checkedId, shown, type Wished } from './ask-task.ts'
import { builder, type EscrowContext } from './builder.ts'
import { VerdictEnum } from './enums.ts'
import { FundingRef, fundingFor, MilestoneRef } from './milestone-type.ts'
import { milestoneView, TaskRef } from './task-type.ts'

/** How long `fundMilestone` waits until the node has made the invoice. */
const INVOICE_WITHIN_MS = 10_000

type MilestoneChanged = Changed & { readonly index: number }

const MilestonePayload = builder.objectRef<MilestoneChanged>('MilestonePayload').implement({
  fields: (t) => ({
    task: t.field({ type: TaskRef, resolve: ({ task }) => task }),
    milestone: t.field({ type: MilestoneRef, resolve: ({ task, index }) => milestoneView(task, index) }),
    replayed: t.exposeBoolean('replayed', {
      description: 'The request was made before: nothing was done again, and the task is shown as it is now.',
    }),
  }),
})

const FundMilestonePayload = builder.objectRef<MilestoneChanged>('FundMilestonePayload').implement({
  fields: (t) => ({
    task: t.field({ type: TaskRef, resolve: ({ task }) => task }),
    milestone: t.field({ type: MilestoneRef, resolve: ({ task, index }) => milestoneView(task, index) }),
    funding: t.field({
      type: FundingRef,
      nullable: true,
      description:
        'Null: the node has not made the invoice in 10 s; ask for it with `milestone { funding }`.',
      resolve: ({ task, index }) => fundingFor(milestoneView(task, index)),
    }),
    replayed: t.exposeBoolean('replayed'),
  }),
})

const which = (t: Parameters<Parameters<typeof builder.inputType>[1]['fields']>[0]) => ({
  taskId: t.id({ required: true }),
  milestone: t.int({ required: true, description: 'They count from 0.' }),
})

const MilestoneIdInput = builder.inputType('MilestoneIdInput', { fields: which })

const InvoiceInput = builder.inputType('InvoiceInput', {
  fields: (t) => ({ ...which(t), invoice: t.string({ required: true, description: 'BOLT 11.' }) }),
})

const SubmitProofInput = builder.inputType('SubmitProofInput', {
  fields: (t) => ({
    ...which(t),
    text: t.string({ required: true }),
    digest: t.field({ type: 'Hash', description: 'SHA-256 of a document that the parties exchanged.' }),
  }),
})

const ReasonInput = builder.inputType('ReasonInput', {
  fields: (t) => ({ ...which(t), reason: t.string({ required: true }) }),
})

const ResolveDisputeInput = builder.inputType('ResolveDisputeInput', {
  fields: (t) => ({ ...which(t), to: t.field({ type: VerdictEnum, required: true }) }),
})

const ReportPreimageInput = builder.inputType('ReportPreimageInput', {
  fields: (t) => ({ ...which(t), preimage: t.field({ type: 'Hash', required: true }) }),
})

type Which = { taskId: string; milestone: number }

builder.mutationFields((t) => ({
  submitInvoice: t.field({
    type: MilestonePayload,
    description: 'The worker’s: the hold will be locked to the payment hash of this invoice.',
    args: { input: t.arg({ type: InvoiceInput, required: true }) },
    resolve: (_, { input }, context) =>
      ask(context, input, { kind: 'submit-invoice', ...at(input), invoice: input.invoice }),
  }),
  fundMilestone: t.field({
    type: FundMilestonePayload,
    description: 'The buyer’s: answers the invoice whose payment locks the money.',
    args: { input: t.arg({ type: MilestoneIdInput, required: true }) },
    resolve: fundMilestone,
  }),
  submitProof: t.field({
    type: MilestonePayload,
    description: 'The worker’s: from now on silence counts as approval.',
    args: { input: t.arg({ type: SubmitProofInput, required: true }) },
    resolve: (_, { input }, context) =>
      ask(context, input, {
        kind: 'submit-proof',
        ...at(input),
        text: input.text,
        digest: input.digest ?? null,
      }),
  }),
  approveMilestone: t.field({
    type: MilestonePayload,
    description: 'The buyer’s: the worker is paid.',
    args: { input: t.arg({ type: MilestoneIdInput, required: true }) },
    resolve: (_, { input }, context) => ask(context, input, { kind: 'approve', ...at(input) }),
  }),
  requestRevision: t.field({
    type: MilestonePayload,
    description: 'The buyer’s objection to a proof: the worker gets more time.',
    args: { input: t.arg({ type: ReasonInput, required: true }) },
    resolve: (_, { input }, context) =>
      ask(context, input, { kind: 'request-revision', ...at(input), reason: input.reason }),
  }),
  openDispute: t.field({
    type: MilestonePayload,
    description: 'The buyer’s or the worker’s.',
    args: { input: t.arg({ type: ReasonInput, required: true }) },
    resolve: (_, { input }, context) =>
      ask(context, input, { kind: 'open-dispute', ...at(input), reason: input.reason }),
  }),
  resolveDispute: t.field({
    type: MilestonePayload,
    description: 'The arbiter’s.',
    args: { input: t.arg({ type: ResolveDisputeInput, required: true }) },
    resolve: (_, { input }, context) =>
      ask(context, input, { kind: 'resolve-dispute', ...at(input), to: input.to }),
  }),
  refundMilestone: t.field({
    type: MilestonePayload,
    description: 'The worker gives the money back.',
    args: { input: t.arg({ type: MilestoneIdInput, required: true }) },
    resolve: (_, { input }, context) => ask(context, input, { kind: 'refund', ...at(input) }),
  }),
  submitRefundInvoice: t.field({
    type: MilestonePayload,
    description: 'The buyer’s, after a premature settlement: where the money that is owed is to go.',
    args: { input: t.arg({ type: InvoiceInput, required: true }) },
    resolve: (_, { input }, context) =>
      ask(context, input, { kind: 'submit-refund-invoice', ...at(input), invoice: input.invoice }),
  }),
  reportPreimage: t.field({
    type: MilestonePayload,
    description:
      'The buyer’s, whose payment succeeded although the milestone is not released: the operator claims with it and owes a refund.',
    args: { input: t.arg({ type: ReportPreimageInput, required: true }) },
    resolve: (_, { input }, context) => reportPreimage(context, input),
  }),
}))

const at = ({ milestone }: Which) => ({ milestone })

async function ask(
  context: EscrowContext,
  { taskId, milestone }: Which,
  wished: Wished,
): Promise<MilestoneChanged> {
  return { ...(await askTask(context, taskId, wished)), index: milestone }
}

async function fundMilestone(
  _: unknown,
  { input: { taskId, milestone } }: { input: Which },
  context: EscrowContext,
): Promise<MilestoneChanged> {
  const { task, replayed } = await askTask(context, taskId, { kind: 'fund', milestone })
  const isMaking = (escrow: EscrowState) => {
    const one = escrow.milestones[milestone]
    return one?.phase === 'awaiting-funds' && one.fundingInvoice === null
  }
  if (!isMaking(task.escrow)) return { task, replayed, index: milestone }
  const escrow = await context.escrows.waitFor(taskId, (seen) => !isMaking(seen), INVOICE_WITHIN_MS)
  return { task: shown(escrow, task.viewer), replayed, index: milestone }
}

/** The node claims before the transaction; claiming twice is claiming once. */
async function reportPreimage(
  { escrows, ...context }: EscrowContext,
  { taskId, milestone, preimage }: Which & { preimage: string },
): Promise<MilestoneChanged> {
  const id = checkedId(taskId)
  const prepare = async (by: string): Promise<EscrowState | Refusal> => {
    const { escrow } = shown(await escrows.find(id), by)
    const role = authorize(escrow, { kind: 'report-preimage', by })
    return isRefusal(role) ? role : escrows.reportPreimage({ id, milestone, preimage })
  }
  const changed = await change(
    { escrows, ...context },
    {
      prepare,
      async work(tx, by, reported) {
        if (!isRefusal(reported)) escrows.journalReport(tx, { id, by, milestone })
        return reported
      },
    },
  )
  return { ...changed, index: milestone }
}
