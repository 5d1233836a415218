import type { PaymentReport, PaymentState } from '@holdfast/core/payments/payment-states'

/**
 * Whether a look-up's report would change more of the payment than its count of attempts. HTLCs can be held for days
 * and nodes stay offline for weeks: the journal is for what happened, not for every time that nothing did.
 */
export function saysSomethingNew(state: PaymentState, report: PaymentReport): boolean {
  if (report.kind === 'node-unreachable') return state.phase !== 'unknown'
  if (report.kind !== 'outcome') return true
  const { outcome } = report
  switch (outcome.state) {
    case 'pending':
      return !(
        state.phase === 'sending' &&
        state.accepted &&
        (outcome.paymentHash === null || outcome.paymentHash === state.paymentHash)
      )
    case 'unknown':
    case 'absent':
      // Not yet accepted and absent: the machine compares the clock with the deadline.
      return !(state.phase === 'unknown' && state.accepted)
    case 'succeeded':
    case 'failed':
      return true
  }
}
