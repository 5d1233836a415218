import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import type { Msat } from '../money.ts'
import { decidePayment, hearPayment, type PaymentDecision } from '../payments/payment-machine.ts'
import type { PaymentReport } from '../payments/payment-states.ts'
import { isRefusal } from '../refusals.ts'
import {
  enter,
  type MilestoneDecision,
  paid,
  premature,
  refund,
  refunded,
  unchanged,
} from './milestone-decision.ts'
import type {
  Approval,
  Held,
  HoldFate,
  HoldSaid,
  In,
  MilestoneEffect,
  MilestoneState,
  Moment,
} from './milestone-states.ts'
import { OPERATOR } from './roles.ts'
import { payoutCltvCap } from './schedule.ts'
import type { Payee } from './worker-invoice.ts'

/** How long the node may be asked to begin one try; an HTLC in flight outlives it, bounded by its CLTV. */
const TRY_MS = 60_000

type Releasing = In<'releasing' | 'payout-unknown'>

/** The first payout begins at once. */
export function release(
  state: MilestoneState,
  { held, payee, approval }: { held: Held; payee: Payee; approval: Approval },
  moment: Moment,
): MilestoneDecision {
  const { now } = moment
  const waiting = {
    ...held,
    phase: 'releasing',
    payee,
    approval,
    hold: 'held',
    tries: 0,
    payout: null,
    tryAt: now,
  } as const
  return tryPayout(enter(state, waiting).state as In<'releasing'>, moment)
}

/** Begins the next try when it is due; refunds when none can succeed any more. Only while none is in flight. */
export function tryPayout(state: In<'releasing'>, moment: Moment): MilestoneDecision {
  const { now } = moment
  const isTooLate = payoutCltvCap(state.schedule, moment.height) === null || now >= state.payee.expiresAt
  if (isTooLate) return refund(state, 'payout-failed', moment)
  if (now < state.tryAt) return { state, effects: [{ kind: 'wake', at: state.tryAt }] }
  const tries = state.tries + 1
  const begun = beginPayment(state.payee, {
    kind: 'payout',
    try: tries,
    nodeId: state.nodeId,
    amountMsat: state.terms.payoutMsat,
    feeLimitMsat: state.terms.routingFeeLimitMsat,
    now,
  })
  return heardFrom({ ...state, tries }, begun, moment)
}

/** A report about the try that is in flight. */
export function payoutReported(state: Releasing, report: PaymentReport, moment: Moment): MilestoneDecision {
  if (state.payout === null) return unchanged(state)
  const decision = hearPayment(state.payout, report, moment.now)
  if (decision.state === state.payout && decision.effects.length === 0) return unchanged(state)
  return heardFrom(state, decision, moment)
}

function heardFrom(state: Releasing, decision: PaymentDecision, moment: Moment): MilestoneDecision {
  const { state: payout } = decision
  switch (payout.phase) {
    case 'sending':
    case 'unknown': {
      const effects = paymentEffects('payout', state.tries, decision).map((effect) =>
        // Without the buyer's money locked, and with a preimage that others know, nothing is paid any more.
        effect.kind === 'pay-out' && state.hold !== 'held'
          ? ({ ...effect, kind: 'look-up-payout' } as const)
          : effect,
      )
      if (payout === state.payout) return { state, effects }
      const common = payoutOf(state)
      return payout.phase === 'sending'
        ? enter(state, { ...common, phase: 'releasing', payout, tryAt: moment.now }, effects)
        : enter(state, { ...common, phase: 'payout-unknown', payout }, effects)
    }
    case 'succeeded':
      return paid(state, { paidMsat: payout.amountMsat, routingFeeMsat: payout.feeMsat }, state.hold, moment)
    case 'resolving':
    case 'failed':
      return payoutFailed(state, moment)
  }
}

/** The node is sure that this try paid nothing. */
function payoutFailed(state: Releasing, moment: Moment): MilestoneDecision {
  switch (state.hold) {
    case 'gone':
      return refunded(state, 'hold-ended', moment)
    case 'claiming':
    case 'claimed':
    case 'lost':
      return premature(state, { amountMsat: state.heldMsat, isLost: state.hold === 'lost' }, moment)
    case 'held': {
      const tryAt = moment.now + tryDelayMs(state.tries)
      const waiting = enter(state, { ...payoutOf(state), phase: 'releasing', payout: null, tryAt })
      return tryPayout(waiting.state as In<'releasing'>, moment)
    }
  }
}

/** What the node says of the hold while the worker is being paid. */
export function holdSeenWhilePaying(state: Releasing, said: HoldSaid, moment: Moment): MilestoneDecision {
  const hold = fateOf(said)
  if (hold === null || !mayBecome(state.hold, hold)) return unchanged(state)
  if (state.payout !== null) return { state: { ...state, hold }, effects: [] }
  return hold === 'gone'
    ? refunded(state, 'hold-ended', moment)
    : premature(state, { amountMsat: state.heldMsat, isLost: hold === 'lost' }, moment)
}

/** What is heard late says nothing new; of what was claimed only that it was lost. */
function mayBecome(known: HoldFate, said: HoldFate): boolean {
  switch (known) {
    case 'held':
    case 'claiming':
      return said !== known
    case 'claimed':
      return said === 'lost'
    case 'gone':
    case 'lost':
      return false
  }
}

/** Null: nothing has happened to it. */
function fateOf(said: HoldSaid): Exclude<HoldFate, 'held'> | null {
  switch (said.state) {
    case 'settling':
      return 'claiming'
    case 'settled':
      return 'claimed'
    case 'cancelled':
      return 'gone'
    case 'lost':
      return 'lost'
    case 'open':
    case 'held':
    case 'absent':
      return null
  }
}

/** What the node is to be asked just now, or null: it may only be asked what became of the payout. */
export function payoutOrder(state: MilestoneState, { now, height }: Moment) {
  if (state.phase !== 'releasing' || state.payout === null || state.hold !== 'held') return null
  const maxTotalCltvExpiryDelta = payoutCltvCap(state.schedule, height)
  const timeoutMs = state.payout.deadlineAt - now
  if (maxTotalCltvExpiryDelta === null || timeoutMs <= 0) return null
  return {
    paymentId: state.payout.nodePaymentId,
    invoice: state.payee.invoice,
    amountMsat: state.payout.amountMsat,
    maxFeeMsat: state.payout.maxFeeMsat,
    maxTotalCltvExpiryDelta,
    timeoutMs,
    // What the state knows of the hold may be old by the time the node is asked.
    whileHeld: state.paymentHash,
  }
}

export type PaymentKind = 'payout' | 'repayment'

/** Only this try of this invoice has it: the node pays it at most once. */
export function paymentIdOf(kind: PaymentKind, paymentHash: string, tries: number): string {
  return bytesToHex(sha256(utf8ToBytes(`holdfast-payment-1:${kind}:${paymentHash}:${tries}`)))
}

/** A payment of the operator's node. */
export function beginPayment(
  payee: Payee,
  {
    kind,
    try: tries,
    nodeId,
    amountMsat,
    feeLimitMsat,
    now,
  }: { kind: PaymentKind; try: number; nodeId: string; amountMsat: Msat; feeLimitMsat: Msat; now: number },
): PaymentDecision {
  const id = `${kind}:${payee.paymentHash}:${tries}`
  const request = {
    kind: 'request',
    id,
    nodePaymentId: paymentIdOf(kind, payee.paymentHash, tries),
    nodeId,
    owner: OPERATOR,
    to: payee.invoice,
    destination: { kind: 'bolt11', invoice: payee.invoice, asksMsat: amountMsat },
    maxFeeMsat: feeLimitMsat,
    deadlineAt: now + TRY_MS,
  } as const
  const decision = decidePayment(null, request, now)
  // The amount was checked when the terms were; nothing else of such a request can be refused.
  if (isRefusal(decision)) throw new Error(`A payment of an escrow was refused: ${decision.refused}`)
  return decision
}

/** The payment machine's effects as effects of the milestone; an invoice needs no resolving. */
export function paymentEffects(
  kind: PaymentKind,
  tries: number,
  { effects }: PaymentDecision,
): MilestoneEffect[] {
  const names = { payout: ['pay-out', 'look-up-payout'], repayment: ['repay', 'look-up-repayment'] } as const
  const [pay, lookUp] = names[kind]
  return effects
    .filter((effect) => effect.kind !== 'resolve')
    .map((effect): MilestoneEffect => {
      if (effect.kind === 'wake') return effect
      const { attempt, at } = effect
      return { kind: effect.kind === 'pay' ? pay : lookUp, try: tries, attempt, at }
    })
}

/** 10 s, doubling, at most half an hour. */
export function tryDelayMs(tries: number): number {
  return Math.min(10_000 * 2 ** Math.min(Math.max(tries - 1, 0), 20), 30 * 60_000)
}

function payoutOf(state: Releasing) {
  const { paymentHash, heldMsat, heldAt, schedule, dueAt, revisions, payee, approval, hold, tries } = state
  return { paymentHash, heldMsat, heldAt, schedule, dueAt, revisions, payee, approval, hold, tries }
}
