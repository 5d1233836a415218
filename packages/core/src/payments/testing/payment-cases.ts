import { isRefusal } from '../../refusals.ts'
import { decidePayment, hearPayment } from '../payment-machine.ts'
import type {
  NodeOutcome,
  Payable,
  PaymentCommand,
  PaymentPhase,
  PaymentReport,
  PaymentRequest,
  PaymentState,
} from '../payment-states.ts'

export type Phase = PaymentPhase['phase']
export const NOW = 1_000_000
export const DEADLINE = NOW + 60_000
export const OFFER: Payable = { kind: 'bolt12', offer: 'lno1', asksMsat: null }
export const HASH = 'ab'.repeat(32)

export const toName: PaymentRequest = {
  kind: 'request',
  id: 'id-1',
  nodePaymentId: '11'.repeat(32),
  nodeId: '02'.repeat(33),
  owner: 'aa'.repeat(32),
  to: 'alice@shop.test',
  destination: { kind: 'name', name: 'alice@shop.test' },
  amountMsat: 21_000n,
  deadlineAt: DEADLINE,
}

export const said = (outcome: NodeOutcome, attempt = 0): PaymentReport => ({
  kind: 'outcome',
  attempt,
  outcome,
})
export const succeeded = said({ state: 'succeeded', paymentHash: HASH, amountMsat: 21_000n, feeMsat: 3n })
export const failed = said({ state: 'failed', paymentHash: null, reason: 'no-route' })
export const unreachable = (effect: 'pay' | 'look-up', attempt = 0): PaymentReport => {
  return { kind: 'node-unreachable', attempt, effect, code: 'NODE_OFFLINE' }
}

export function requested(more: Partial<PaymentRequest> = {}): PaymentState {
  const decision = decidePayment(null, { ...toName, ...more }, NOW)
  if (isRefusal(decision)) throw new Error(decision.refused)
  return decision.state
}

export function reach(phase: Phase, more: Partial<PaymentRequest> = {}): PaymentState {
  const reports: Record<Phase, PaymentReport[]> = {
    resolving: [],
    sending: [{ kind: 'resolved', payable: OFFER }],
    unknown: [{ kind: 'resolved', payable: OFFER }, said({ state: 'unknown' })],
    succeeded: [{ kind: 'resolved', payable: OFFER }, succeeded],
    failed: [
      { kind: 'resolved', payable: OFFER },
      said({ state: 'failed', paymentHash: null, reason: 'rejected' }),
    ],
  }
  const state = reports[phase].reduce((at, report) => hearPayment(at, report, NOW).state, requested(more))
  if (state.phase !== phase) throw new Error(`the payment is ${state.phase}, not ${phase}`)
  return state
}

/** The attempt that the phase waits for. */
export const attemptOf = (state: PaymentState) => ('attempt' in state ? state.attempt : 0)

export const commands = (attempt: number): Record<string, PaymentCommand> => ({
  request: toName,
  resolved: { kind: 'resolved', payable: OFFER },
  'resolved to another price': { kind: 'resolved', payable: { ...OFFER, asksMsat: 5n } },
  'resolve-failed, again': { kind: 'resolve-failed', attempt, code: 'DNS_UNAVAILABLE', again: true },
  'resolve-failed for good': { kind: 'resolve-failed', attempt, code: 'RESOLVE_BOGUS', again: false },
  'an old resolve-failed': { kind: 'resolve-failed', attempt: 9, code: 'RESOLVE_BOGUS', again: false },
  pending: said({ state: 'pending', paymentHash: HASH }, attempt),
  'an old pending': said({ state: 'pending', paymentHash: HASH }, 9),
  unknown: said({ state: 'unknown' }, attempt),
  absent: said({ state: 'absent' }, attempt),
  'an old absent': said({ state: 'absent' }, 9),
  succeeded,
  failed,
  'pay-refused': { kind: 'pay-refused', attempt, code: 'PAYMENT_FAILED' },
  'an old pay-refused': { kind: 'pay-refused', attempt: 9, code: 'PAYMENT_FAILED' },
  'unreachable to pay': unreachable('pay', attempt),
  'unreachable to look up': unreachable('look-up', attempt),
  'time-passed': { kind: 'time-passed' },
})
