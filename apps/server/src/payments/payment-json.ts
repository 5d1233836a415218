import { REFUSALS } from '@holdfast/core'
import type { PaymentState } from '@holdfast/core/payments/payment-states'
import { z } from 'zod'

const milliseconds = z.number().int().describe('Milliseconds since 1970.')
const msat = z.string().describe('Millisatoshi as a decimal string.')

export const paymentSchema = z
  .strictObject({
    id: z.string(),
    nodePaymentId: z
      .string()
      .describe('32 bytes in hex: under this id your own node knows the payment and its proof.'),
    state: z
      .enum(['resolving', 'sending', 'succeeded', 'failed', 'unknown'])
      .describe('`unknown`: the node cannot say yet; it is neither paid again nor given up.'),
    to: z.string(),
    amountMsat: msat.nullable(),
    maxFeeMsat: msat.nullable(),
    feeMsat: msat.optional().describe('What routing cost. Only when it succeeded.'),
    paymentHash: z.string().nullable(),
    createdAt: milliseconds,
    endedAt: milliseconds.optional(),
    error: z.strictObject({ code: z.string(), title: z.string(), hint: z.string() }).optional(),
  })
  .meta({ title: 'Payment' })

const decimal = (amount: bigint | null) => (amount === null ? null : `${amount}`)

export function paymentJson(state: PaymentState) {
  const { id, nodePaymentId, to, requestedAt: createdAt } = state
  const asked = { amountMsat: decimal(state.requestedMsat), maxFeeMsat: decimal(state.feeLimitMsat) }
  const common = { id, nodePaymentId, to, createdAt, ...asked, paymentHash: null }
  switch (state.phase) {
    case 'resolving':
      return { ...common, state: state.phase }
    case 'sending':
    case 'unknown':
      return {
        ...common,
        state: state.phase,
        amountMsat: `${state.amountMsat}`,
        maxFeeMsat: `${state.maxFeeMsat}`,
        paymentHash: state.paymentHash,
      }
    case 'succeeded':
      return {
        ...common,
        state: state.phase,
        amountMsat: `${state.amountMsat}`,
        feeMsat: `${state.feeMsat}`,
        paymentHash: state.paymentHash,
        endedAt: state.endedAt,
      }
    case 'failed': {
      const { title, hint } = REFUSALS[state.cause]
      return {
        ...common,
        state: state.phase,
        paymentHash: state.paymentHash,
        endedAt: state.endedAt,
        error: { code: state.cause, title, hint },
      }
    }
  }
}
