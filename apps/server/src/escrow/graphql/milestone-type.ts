import { fundingAmount } from '@holdfast/core/escrow/milestone-decision'
import { standingOf } from '@holdfast/core/escrow/milestone-facts'
import type { In, Proof } from '@holdfast/core/escrow/milestone-states'
import { type HoldSchedule, invoiceNeededUntil } from '@holdfast/core/escrow/schedule'
import { unifiedUri, uriForQr } from '@holdfast/protocols/bip321'
import { builder } from './builder.ts'
import { ApprovalEnum, CustodyEnum, MilestonePhaseEnum, RefundCauseEnum, StandingEnum } from './enums.ts'
import { type MilestoneView, seesPrivate } from './task-view.ts'

export const MilestoneRef = builder.objectRef<MilestoneView>('Milestone')

type Funding = In<'awaiting-funds'> & { readonly fundingInvoice: string }
type Disputed = Pick<In<'disputed'>, 'openedBy' | 'openedAt' | 'reason'>

export const FundingRef = builder.objectRef<Funding>('Funding').implement({
  description: 'How the buyer locks the money of a milestone.',
  fields: (t) => ({
    invoice: t.exposeString('fundingInvoice', {
      description: 'BOLT 11; paying it stays pending until the end.',
    }),
    uri: t.string({
      description: 'BIP-321, as it is opened by a wallet.',
      resolve: ({ fundingInvoice }) => unifiedUri({ invoice: fundingInvoice }),
    }),
    qrText: t.string({
      description: 'The same in capitals, which take a smaller QR code.',
      resolve: ({ fundingInvoice }) => uriForQr(unifiedUri({ invoice: fundingInvoice })),
    }),
    lightningUri: t.string({
      description: '`lightning:` and the invoice, for wallets that do not know BIP-321.',
      resolve: ({ fundingInvoice }) => `lightning:${fundingInvoice}`,
    }),
    paymentHash: t.expose('paymentHash', { type: 'Hash' }),
    amountMsat: t.field({
      type: 'Msat',
      description: 'Payout and fee.',
      resolve: ({ terms }) => fundingAmount(terms),
    }),
    payoutMsat: t.field({ type: 'Msat', resolve: ({ terms }) => terms.payoutMsat }),
    feeMsat: t.field({ type: 'Msat', resolve: ({ terms }) => terms.feeMsat }),
    expiresAt: t.expose('fundBy', { type: 'Milliseconds' }),
  }),
})

const ProofRef = builder.objectRef<Proof>('Proof').implement({
  fields: (t) => ({
    text: t.exposeString('text'),
    digest: t.expose('digest', {
      type: 'Hash',
      nullable: true,
      description: 'SHA-256 of a document that the parties exchanged.',
    }),
    submittedAt: t.expose('submittedAt', { type: 'Milliseconds' }),
    inTime: t.exposeBoolean('inTime', {
      description: 'Early enough that the whole time to object lies before the guardian’s decision.',
    }),
  }),
})

const DisputeRef = builder.objectRef<Disputed>('Dispute').implement({
  fields: (t) => ({
    openedBy: t.expose('openedBy', { type: 'PublicKey' }),
    openedAt: t.expose('openedAt', { type: 'Milliseconds' }),
    reason: t.exposeString('reason'),
  }),
})

const DeadlinesRef = builder.objectRef<HoldSchedule>('Deadlines').implement({
  description: 'What a hold is bounded by, as heights of the chain. Blocks, not clocks, end a hold.',
  fields: (t) => ({
    dueHeight: t.int({
      description: 'A proof that is submitted up to here and meets no objection is released.',
      resolve: (schedule) => schedule.dueHeight,
    }),
    guardianHeight: t.int({
      description: 'From here on the guardian ends the hold.',
      resolve: (schedule) => schedule.guardianHeight,
    }),
    latestPayoutHeight: t.int({
      description: 'No payout begins above it.',
      resolve: (schedule) => schedule.latestPayoutHeight,
    }),
    deadlineHeight: t.int({
      description: 'The hold has ended by here, whatever happened.',
      resolve: (schedule) => schedule.deadlineHeight,
    }),
    height: t.int({
      nullable: true,
      description: 'Of the chain now; null while the operator’s node has not said so.',
      resolve: (_, _args, { height }) => height(),
    }),
    blocksLeft: t.int({
      nullable: true,
      description: 'Until the guardian ends the hold; not below 0.',
      resolve: async (schedule, _args, context) => blocksLeft(schedule, await context.height()),
    }),
    guardianActsAboutAt: t.field({
      type: 'Milliseconds',
      nullable: true,
      description: 'An estimate, at ten minutes a block.',
      resolve: async (schedule, _args, context) => {
        const left = blocksLeft(schedule, await context.height())
        return left === null ? null : context.now() + left * BLOCK_MS
      },
    }),
  }),
})

const BLOCK_MS = 10 * 60_000

function blocksLeft({ guardianHeight }: HoldSchedule, height: number | null): number | null {
  return height === null ? null : Math.max(guardianHeight - height, 0)
}

MilestoneRef.implement({
  description: 'The part of a task that is funded, released or refunded whole.',
  fields: (t) => ({
    index: t.int({ resolve: ({ milestone }) => milestone.index }),
    phase: t.field({ type: MilestonePhaseEnum, resolve: ({ milestone }) => milestone.phase }),
    standing: t.field({ type: StandingEnum, resolve: ({ milestone }) => standingOf(milestone) }),
    custody: t.field({ type: CustodyEnum, resolve: ({ milestone }) => milestone.custody }),
    title: t.string({ resolve: ({ milestone }) => milestone.terms.title }),
    payoutMsat: t.field({
      type: 'Msat',
      description: 'What the worker is paid; the worker’s invoice asks for exactly this.',
      resolve: ({ milestone }) => milestone.terms.payoutMsat,
    }),
    feeMsat: t.field({
      type: 'Msat',
      description: 'The platform’s. A refund costs none of it.',
      resolve: ({ milestone }) => milestone.terms.feeMsat,
    }),
    fundingMsat: t.field({
      type: 'Msat',
      description: 'What the buyer locks: payout and fee.',
      resolve: ({ milestone }) => fundingAmount(milestone.terms),
    }),
    workMs: t.field({
      type: 'Milliseconds',
      description: 'From the money’s arrival to the proof.',
      resolve: ({ milestone }) => milestone.terms.workMs,
    }),
    objectionMs: t.field({
      type: 'Milliseconds',
      description: 'From the proof until silence counts as approval.',
      resolve: ({ milestone }) => milestone.terms.objectionMs,
    }),
    holdBlocks: t.int({ resolve: ({ milestone }) => milestone.terms.holdBlocks }),
    maxFinalCltv: t.int({
      description: 'The most that the worker’s invoice may ask as its final CLTV.',
      resolve: ({ milestone }) => milestone.terms.finalCltvCap,
    }),
    invoiceNeededUntil: t.field({
      type: 'Milliseconds',
      nullable: true,
      description: 'Until when a worker’s invoice that is submitted now must be payable.',
      resolve: ({ milestone }, _args, { now }) => invoiceNeededUntil(now(), milestone.terms.holdBlocks),
    }),
    workerInvoice: t.string({
      nullable: true,
      description: 'Only for the parties.',
      resolve: (view) =>
        seesPrivate(view.task) && 'payee' in view.milestone ? (view.milestone.payee?.invoice ?? null) : null,
    }),
    paymentHash: t.field({
      type: 'Hash',
      nullable: true,
      description: 'Of the hold. Only for the parties.',
      resolve: (view) =>
        seesPrivate(view.task) && 'paymentHash' in view.milestone ? view.milestone.paymentHash : null,
    }),
    funding: t.field({
      type: FundingRef,
      nullable: true,
      description: 'While an invoice waits to be paid; only for the buyer.',
      resolve: fundingFor,
    }),
    heldMsat: t.field({
      type: 'Msat',
      nullable: true,
      resolve: ({ milestone }) => ('heldMsat' in milestone ? milestone.heldMsat : null),
    }),
    heldAt: t.field({
      type: 'Milliseconds',
      nullable: true,
      resolve: ({ milestone }) => ('heldAt' in milestone ? milestone.heldAt : null),
    }),
    fundBy: t.field({
      type: 'Milliseconds',
      nullable: true,
      description: 'Until when the funding invoice can be paid.',
      resolve: ({ milestone }) => ('fundBy' in milestone ? milestone.fundBy : null),
    }),
    dueAt: t.field({
      type: 'Milliseconds',
      nullable: true,
      description: 'When the proof is due; a revision prolongs it.',
      resolve: ({ milestone }) => ('dueAt' in milestone ? milestone.dueAt : null),
    }),
    autoReleaseAt: t.field({
      type: 'Milliseconds',
      nullable: true,
      description: 'When silence counts as approval.',
      resolve: ({ milestone }) => ('autoReleaseAt' in milestone ? milestone.autoReleaseAt : null),
    }),
    deadlines: t.field({
      type: DeadlinesRef,
      nullable: true,
      description: 'While money is locked.',
      resolve: ({ milestone }) => ('schedule' in milestone ? milestone.schedule : null),
    }),
    revisions: t.int({ resolve: ({ milestone }) => ('revisions' in milestone ? milestone.revisions : 0) }),
    proof: t.field({
      type: ProofRef,
      nullable: true,
      description: 'Only for the parties.',
      resolve: ({ task, milestone }) => (seesPrivate(task) && 'proof' in milestone ? milestone.proof : null),
    }),
    dispute: t.field({
      type: DisputeRef,
      nullable: true,
      description: 'While it is open; only for the parties.',
      resolve: ({ task, milestone }) =>
        seesPrivate(task) && milestone.phase === 'disputed' ? milestone : null,
    }),
    approval: t.field({
      type: ApprovalEnum,
      nullable: true,
      resolve: ({ milestone }) => ('approval' in milestone ? milestone.approval : null),
    }),
    paidMsat: t.field({
      type: 'Msat',
      nullable: true,
      description: 'What the worker was paid.',
      resolve: ({ milestone }) => ('paidMsat' in milestone ? milestone.paidMsat : null),
    }),
    refundCause: t.field({
      type: RefundCauseEnum,
      nullable: true,
      resolve: ({ milestone }) => ('cause' in milestone ? milestone.cause : null),
    }),
    owedMsat: t.field({
      type: 'Msat',
      nullable: true,
      description: 'After a premature settlement: what the operator owes to the buyer, or has repaid.',
      resolve: ({ milestone }) => ('owedMsat' in milestone ? milestone.owedMsat : null),
    }),
    claimLost: t.boolean({
      nullable: true,
      description:
        'After a premature settlement: the chain did not let the operator keep all that it had claimed; it owes all the same. After a release the phase says so: `LOST`.',
      resolve: ({ milestone }) => ('owedMsat' in milestone ? (milestone.claimLost ?? false) : null),
    }),
    endedAt: t.field({
      type: 'Milliseconds',
      nullable: true,
      resolve: ({ milestone }) => ('endedAt' in milestone ? milestone.endedAt : null),
    }),
  }),
})

/** Null also until the node has made the invoice. */
export function fundingFor({ task, milestone }: MilestoneView): Funding | null {
  if (task.role !== 'buyer' || milestone.phase !== 'awaiting-funds') return null
  const { fundingInvoice } = milestone
  return fundingInvoice === null ? null : { ...milestone, fundingInvoice }
}
