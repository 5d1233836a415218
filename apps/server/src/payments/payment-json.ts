import { REFUSALS, type RefusalCode } from '@holdfast/core'
import { type Fallback, PAYMENT_PHASES, type PaymentState } from '@holdfast/core/payments/payment-states'
import { z } from 'zod'
import { nameIn } from './parse-destination.ts'

const milliseconds = z.number().int().describe('Milliseconds since 1970.')
const msat = z.string().describe('Millisatoshi as a decimal string.')

export const paymentSchema = z
  .strictObject({
    id: z.string(),
    nodePaymentId: z
      .string()
      .describe(
        '32 bytes, hex: under which your node knows the payment and your device finds its proof. Another one when the node gave the first up for good and the payment is tried again.',
      ),
    to: z.string().describe('The destination as it was given.'),
    name: z
      .string()
      .optional()
      .describe(
        'Only when it is a name: `user@domain` as it is paid; letters of other scripts stand as punycode.',
      ),
    via: z
      .enum(['lightning-address'])
      .optional()
      .describe(
        'Only when the fallback that was asked for was needed: a host vouches for the payee, DNSSEC does not.',
      ),
    note: z.string().optional().describe('The message to the payee.'),
    state: z
      .enum(PAYMENT_PHASES)
      .describe(
        '`unknown`: nobody can say yet whether it was paid. Do not pay again; it is asked again by itself.',
      ),
    amountMsat: msat.optional().describe('Absent until it is known. Millisatoshi as a decimal string.'),
    maxFeeMsat: msat.optional().describe('The limit of the fee. Millisatoshi as a decimal string.'),
    feeMsat: msat.optional().describe('What the route took. Only when it succeeded.'),
    paymentHash: z.string().optional(),
    createdAt: milliseconds,
    endedAt: milliseconds.optional(),
    error: z
      .strictObject({ code: z.string(), title: z.string(), hint: z.string() })
      .meta({ title: 'Failure' })
      .optional()
      .describe('Only when it failed.'),
  })
  .meta({ title: 'Payment' })

type Amounts = { amountMsat?: bigint | null; maxFeeMsat?: bigint | null; feeMsat?: bigint | null }

export function paymentJson(state: PaymentState) {
  const { id, nodePaymentId, to, note, requestedAt: createdAt, requestedMsat, feeLimitMsat } = state
  const common = {
    id,
    nodePaymentId,
    to,
    ...named(to),
    ...unproven(state),
    ...(note !== undefined && { note }),
    state: state.phase,
    createdAt,
  }
  switch (state.phase) {
    case 'resolving':
      return { ...common, ...decimals({ amountMsat: requestedMsat, maxFeeMsat: feeLimitMsat }) }
    case 'sending':
    case 'unknown':
      return {
        ...common,
        ...decimals({ amountMsat: state.amountMsat, maxFeeMsat: state.maxFeeMsat }),
        ...hash(state.paymentHash),
      }
    case 'succeeded':
      return {
        ...common,
        ...decimals({ amountMsat: state.amountMsat, maxFeeMsat: feeLimitMsat, feeMsat: state.feeMsat }),
        ...hash(state.paymentHash),
        endedAt: state.endedAt,
      }
    case 'failed':
      return {
        ...common,
        ...decimals({ amountMsat: state.payable?.asksMsat ?? requestedMsat, maxFeeMsat: feeLimitMsat }),
        ...hash(state.paymentHash),
        endedAt: state.endedAt,
        error: failure(state.cause),
      }
  }
}

/** The payer shall see who is paid, not what the letters look like. */
function named(to: string): { name?: string } {
  const name = nameIn(to)
  return name === null ? {} : { name }
}

function unproven(state: PaymentState): { via?: Fallback } {
  const payable = 'payable' in state ? state.payable : null
  return payable?.kind === 'bolt11' && payable.via !== undefined ? { via: payable.via } : {}
}

function failure(code: RefusalCode) {
  const { title, hint } = REFUSALS[code]
  return { code, title, hint }
}

function hash(paymentHash: string | null) {
  return paymentHash === null ? {} : { paymentHash }
}

function decimals(amounts: Amounts) {
  const { amountMsat = null, maxFeeMsat = null, feeMsat = null } = amounts
  return {
    ...(amountMsat !== null && { amountMsat: `${amountMsat}` }),
    ...(maxFeeMsat !== null && { maxFeeMsat: `${maxFeeMsat}` }),
    ...(feeMsat !== null && { feeMsat: `${feeMsat}` }),
  }
}
