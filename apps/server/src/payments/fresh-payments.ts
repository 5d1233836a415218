import type { PaymentState } from '@holdfast/core/payments/payment-states'

/**
 * New payments as this process has written them, for the job that is begun as soon as they are committed: it need not read
 * what stands in the database. One whose transaction failed has no job, and nobody takes it.
 */
export type FreshPayments = {
  put(state: PaymentState): void
  /** Once. */
  take(id: string): PaymentState | null
}

const CAPACITY = 1_000

export function makeFreshPayments(capacity = CAPACITY): FreshPayments {
  // A Map keeps the order of insertion.
  const byId = new Map<string, PaymentState>()
  return {
    put(state) {
      byId.set(state.id, state)
      const [oldest] = byId.keys()
      if (byId.size > capacity && oldest !== undefined) byId.delete(oldest)
    },
    take(id) {
      const state = byId.get(id) ?? null
      byId.delete(id)
      return state
    },
  }
}
