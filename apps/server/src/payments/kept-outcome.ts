import type { NodeOutcome } from '@holdfast/core/payments/payment-states'

/**
 * The outcome with the members that the port names and no others. It goes into the journal, which forgets nothing, and
 * TypeScript lets a backend hand over more than the port says: nodes answer a payment with its preimage.
 */
export function keptOutcome(said: NodeOutcome): NodeOutcome {
  switch (said.state) {
    case 'pending':
      return { state: said.state, paymentHash: said.paymentHash }
    case 'succeeded': {
      const { state, paymentHash, amountMsat, feeMsat } = said
      return { state, paymentHash, amountMsat, feeMsat }
    }
    case 'failed':
      return { state: said.state, paymentHash: said.paymentHash, reason: said.reason }
    case 'unknown':
    case 'absent':
      return { state: said.state }
  }
}
