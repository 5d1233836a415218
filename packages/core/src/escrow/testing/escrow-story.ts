import { isRefusal, type Refusal } from '../../refusals.ts'
import { decideEscrow, type EscrowDecision } from '../escrow-machine.ts'
import type { CreateRequest, EscrowCommand, EscrowPhase, EscrowPlan, EscrowState } from '../escrow-states.ts'
import type { Custody, HoldSaid, In, MilestoneState, Moment, Phase } from '../milestone-states.ts'
import type { InvoiceFacts } from '../worker-invoice.ts'

export const HOUR_MS = 3_600_000
export const START: Moment = { now: 1_800_000_000_000, height: 1_000 }
export const BUYER = 'b0'.repeat(32)
export const WORKER = 'a1'.repeat(32)
export const ARBITER = 'c2'.repeat(32)
export const STRANGER = 'd3'.repeat(32)
export const NODE = `02${'ee'.repeat(32)}`
/** The hash of the worker's invoice, of the operator's own hold, and of the buyer's invoice for a repayment. */
const WORKER_HASH = '11'.repeat(32)
const OPERATOR_HASH = '22'.repeat(32)
export const BUYER_HASH = '33'.repeat(32)
export const PAYOUT_MSAT = 50_000_000n
export const FEE_MSAT = 501_000n
export const FUNDING_MSAT = PAYOUT_MSAT + FEE_MSAT
const CLAIM_DEADLINE = START.height + 600

export const PLAN: EscrowPlan = {
  title: 'Paint the fence',
  description: 'White, both sides.',
  arbiter: ARBITER,
  deadlineAt: START.now + 20 * 24 * HOUR_MS,
  milestones: [
    {
      title: 'All of it',
      payoutMsat: PAYOUT_MSAT,
      workMs: 10 * HOUR_MS,
      objectionMs: 2 * HOUR_MS,
      holdBlocks: 400,
    },
  ],
}

export function creation(custody: Custody = 'hash-locked', more: Partial<CreateRequest> = {}): CreateRequest {
  return {
    kind: 'create',
    by: BUYER,
    id: 'escrow-1',
    escrowKind: 'task',
    custody,
    worker: null,
    nodeId: NODE,
    policy: { fixedMsat: 1_000n, ppm: 10_000n, capMsat: 100_000_000n },
    plan: PLAN,
    ...more,
  }
}

export function invoice(more: Partial<InvoiceFacts> = {}): InvoiceFacts {
  return {
    invoice: 'lnbcrt-of-the-worker',
    paymentHash: WORKER_HASH,
    payee: `03${'aa'.repeat(32)}`,
    rightNetwork: true,
    amountMsat: PAYOUT_MSAT,
    expiresAt: START.now + 30 * 24 * HOUR_MS,
    finalCltv: 80,
    hashIsNew: true,
    ...more,
  }
}

/** The buyer's own, for what a premature settlement owes. */
export const refundInvoice = () =>
  invoice({ invoice: 'lnbcrt-of-the-buyer', paymentHash: BUYER_HASH, amountMsat: FUNDING_MSAT })

export const holdHash = (custody: Custody) => (custody === 'hash-locked' ? WORKER_HASH : OPERATOR_HASH)

export function seen(
  said: HoldSaid,
  custody: Custody = 'hash-locked',
  milestone = 0,
): Extract<EscrowCommand, { kind: 'hold-seen' }> {
  return { kind: 'hold-seen', milestone, paymentHash: holdHash(custody), said }
}

export const HELD: HoldSaid = { state: 'held', amountMsat: FUNDING_MSAT, claimDeadlineHeight: CLAIM_DEADLINE }

export const PAID = {
  kind: 'outcome',
  attempt: 0,
  outcome: { state: 'succeeded', paymentHash: WORKER_HASH, amountMsat: PAYOUT_MSAT, feeMsat: 1_000n },
} as const
export const UNKNOWN = { kind: 'outcome', attempt: 0, outcome: { state: 'unknown' } } as const
export const FAILED = {
  kind: 'outcome',
  attempt: 0,
  outcome: { state: 'failed', paymentHash: WORKER_HASH, reason: 'no-route' },
} as const

export const payout = (report: typeof PAID | typeof UNKNOWN | typeof FAILED): EscrowCommand => ({
  kind: 'payout',
  milestone: 0,
  paymentHash: WORKER_HASH,
  try: 1,
  report,
})

export const ask = {
  invoice: { kind: 'submit-invoice', by: WORKER, milestone: 0, invoice: invoice() },
  fund: {
    kind: 'fund',
    by: BUYER,
    milestone: 0,
    spendableMsat: 10n * PAYOUT_MSAT,
    paymentHash: OPERATOR_HASH,
  },
  proof: { kind: 'submit-proof', by: WORKER, milestone: 0, text: 'Done, see the photos.', digest: null },
  approve: { kind: 'approve', by: BUYER, milestone: 0 },
  revision: { kind: 'request-revision', by: BUYER, milestone: 0, reason: 'The back is still brown.' },
  dispute: { kind: 'open-dispute', by: BUYER, milestone: 0, reason: 'The fence is green.' },
  refund: { kind: 'refund', by: WORKER, milestone: 0 },
  refundInvoice: { kind: 'submit-refund-invoice', by: BUYER, milestone: 0, invoice: refundInvoice() },
} as const satisfies Record<string, EscrowCommand>

const assigned: EscrowCommand[] = [
  { kind: 'publish', by: BUYER },
  { kind: 'apply', by: WORKER, message: 'I have brushes.' },
  { kind: 'apply', by: STRANGER, message: 'Me too.' },
  { kind: 'assign', by: BUYER, worker: WORKER },
]

/** How an escrow comes to where its only milestone is in the phase. */
export function pathTo(phase: Phase, custody: Custody): readonly EscrowCommand[] {
  const awaitingFunds: EscrowCommand[] =
    custody === 'hash-locked' ? [...assigned, ask.invoice, ask.fund] : [...assigned, ask.fund]
  const created: EscrowCommand = {
    kind: 'hold-created',
    milestone: 0,
    paymentHash: holdHash(custody),
    invoice: 'lnbcrt-of-the-operator',
  }
  const held = [...awaitingFunds, created, seen(HELD, custody)]
  const working = custody === 'hash-locked' ? held : [...held, ask.invoice]
  const releasing = [...working, ask.proof, ask.approve]
  const premature = [...working, seen({ state: 'settled', amountMsat: FUNDING_MSAT }, custody)]
  const refunding = [...working, ask.refund]
  const repaid = {
    kind: 'repayment',
    milestone: 0,
    paymentHash: BUYER_HASH,
    try: 1,
    report: { ...PAID, outcome: { ...PAID.outcome, paymentHash: BUYER_HASH, amountMsat: FUNDING_MSAT } },
  } as const satisfies EscrowCommand
  const paths: Record<Phase, EscrowCommand[]> = {
    planned: custody === 'hash-locked' ? [{ kind: 'publish', by: BUYER }] : assigned,
    'awaiting-invoice': assigned,
    'ready-to-fund': [...assigned, ask.invoice],
    'awaiting-funds': [...awaitingFunds, created],
    closing: [...awaitingFunds, created, { kind: 'cancel', by: BUYER }],
    held: working,
    'proof-submitted': [...working, ask.proof],
    disputed: [...working, ask.dispute],
    releasing,
    'payout-unknown': [...releasing, payout(UNKNOWN)],
    claiming: [...releasing, payout(PAID)],
    released: [...releasing, payout(PAID), seen({ state: 'settled', amountMsat: FUNDING_MSAT }, custody)],
    refunding,
    refunded: [...refunding, seen({ state: 'cancelled' }, custody)],
    premature,
    repaying: [...premature, ask.refundInvoice],
    repaid: [...premature, ask.refundInvoice, repaid],
    lost: [...releasing, seen({ state: 'cancelled' }, custody), payout(PAID)],
    expired: [...assigned, { kind: 'time-passed' }],
    cancelled: [...assigned, { kind: 'cancel', by: BUYER }],
  }
  return [creation(custody), ...paths[phase]]
}

/** Runs commands one millisecond apart; every one of them must be accepted. */
export function run(commands: readonly EscrowCommand[], from: EscrowState | null = null): EscrowState {
  const state = commands.reduce<EscrowState | null>((before, command, index) => {
    const isDeadline = command.kind === 'time-passed'
    const at = { height: START.height, now: isDeadline ? PLAN.deadlineAt : START.now + index }
    return accepted(decideEscrow(before, command, at)).state
  }, from)
  if (state === null) throw new Error('nothing was run')
  return state
}

export function accepted(decision: EscrowDecision | Refusal): EscrowDecision {
  if (isRefusal(decision)) throw new Error(`refused: ${decision.refused} ${JSON.stringify(decision.data)}`)
  return decision
}

export function reach(phase: Phase, custody: Custody = 'hash-locked'): EscrowState {
  const state = run(pathTo(phase, custody))
  if (only(state).phase !== phase) throw new Error(`${only(state).phase} instead of ${phase}`)
  return state
}

/** What a phase alone does not tell apart: the state in which no payout is in flight, and why a hold is closed. */
export function reachSituations(custody: Custody): readonly (readonly [name: string, state: EscrowState])[] {
  const later = (state: EscrowState, command: EscrowCommand, now: number) =>
    accepted(decideEscrow(state, command, { ...START, now })).state
  const unpaid = later(reach('awaiting-funds', custody), { kind: 'time-passed' }, START.now + 1.1 * HOUR_MS)
  const lost = { state: 'lost', amountMsat: FUNDING_MSAT } as const
  const between = later(reach('releasing', custody), payout(FAILED), START.now + 10)
  return [
    ['closing, because nobody paid', unpaid],
    ['releasing, between two tries', between],
    ['premature, the claim lost', run([seen(lost, custody)], reach('premature', custody))],
  ]
}

export function only(state: EscrowState): MilestoneState {
  const [milestone] = state.milestones
  if (milestone === undefined) throw new Error('an escrow without milestones')
  return milestone
}

export function milestoneIn<P extends Phase>(state: EscrowState, phase: P): In<P> {
  const milestone = only(state)
  if (milestone.phase !== phase) throw new Error(`${milestone.phase} instead of ${phase}`)
  return milestone as In<P>
}

/** An escrow in each of its own phases. */
export function reachEscrow(phase: EscrowPhase['phase']): EscrowState {
  const milestone: Record<EscrowPhase['phase'], Phase | null> = {
    draft: null,
    open: 'planned',
    assigned: 'awaiting-invoice',
    active: 'held',
    completed: 'released',
    cancelled: 'cancelled',
    expired: 'expired',
  }
  const reached = milestone[phase]
  return reached === null ? run([creation()]) : reach(reached)
}
