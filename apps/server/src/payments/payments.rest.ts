import { isRefusal, refuse } from '@holdfast/core'
import { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import { type ChangeSignal, waitUntil } from '../platform/change-signal.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import { orThrow, RefusalError, refusals } from '../platform/http/problem.ts'
import { decodeCursor, encodeCursor } from '../platform/page-cursor.ts'
import { paymentJson, paymentSchema } from './payment-json.ts'
import { findPayment, listPayments } from './payment-store.ts'
import { type RequestDeps, requestPayment } from './request-payment.ts'

export type PaymentRoutes = RequestDeps & {
  database: Pick<OpenDatabase, 'db'>
  identity: Pick<Identity, 'mutate' | 'authenticate'>
  changes: ChangeSignal
}

const tags = ['payments']
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const MAX_WAIT_SECONDS = 20

export function addPaymentRoutes(app: App, deps: PaymentRoutes): void {
  const { db } = deps.database

  app.post(
    '/v1/payments',
    {
      schema: {
        summary: 'Pay a name, an offer, an invoice or a BIP-321 URI from your node.',
        tags,
        body: z.strictObject({
          to: z.string().max(16_384),
          amountMsat: z
            .string()
            .optional()
            .describe('Needed unless the destination names an amount; then it may be left out.'),
          maxFeeMsat: z
            .string()
            .optional()
            .describe('The most that routing may cost. Default: 1 % of the amount, at least 10000.'),
        }),
        response: {
          202: paymentSchema,
          ...refusals(
            'DESTINATION_INVALID',
            'NAME_INVALID',
            'OFFER_INVALID',
            'OFFER_EXPIRED',
            'OFFER_FOREIGN_CHAIN',
            'OFFER_UNSUPPORTED',
            'INVOICE_INVALID',
            'INVOICE_EXPIRED',
            'INVOICE_FOREIGN_CHAIN',
            'URI_INVALID',
            'URI_NOT_PAYABLE',
            'AMOUNT_INVALID',
            'AMOUNT_REQUIRED',
            'AMOUNT_MISMATCH',
            'FEE_LIMIT_INVALID',
            'NODE_NOT_CONNECTED',
            'NODE_CANNOT',
          ),
        },
      },
    },
    (request, reply) =>
      deps.identity.mutate(request, reply, async (tx, owner) => {
        const state = await requestPayment(deps, tx, owner, request.body)
        if (isRefusal(state)) return state
        return { status: 202, headers: { location: `/v1/payments/${state.id}` }, body: paymentJson(state) }
      }),
  )

  app.get(
    '/v1/payments/:id',
    {
      schema: {
        summary: 'What became of a payment of yours.',
        tags,
        params: z.strictObject({ id: z.string() }),
        querystring: z.strictObject({
          wait: z.coerce
            .number()
            .min(0)
            .max(MAX_WAIT_SECONDS)
            .default(0)
            .describe('Answer when the payment has ended, or after so many seconds.'),
        }),
        response: { 200: paymentSchema, ...refusals('AUTH_REQUIRED', 'PAYMENT_NOT_FOUND') },
      },
    },
    async (request) => {
      const owner = await deps.identity.authenticate(request)
      const { id } = request.params
      if (!uuid.test(id)) throw new RefusalError(refuse('PAYMENT_NOT_FOUND'))
      const look = () => findPayment(db, id)
      const ended = (seen: Awaited<ReturnType<typeof look>>) =>
        seen === null || seen.owner !== owner || seen.phase === 'succeeded' || seen.phase === 'failed'
      const payment = await waitUntil(deps.changes, id, request.query.wait * 1000, look, ended)
      // To others a payment does not exist: that it does is nobody's business.
      if (payment === null || payment.owner !== owner) throw new RefusalError(refuse('PAYMENT_NOT_FOUND'))
      return paymentJson(payment)
    },
  )

  app.get(
    '/v1/payments',
    {
      schema: {
        summary: 'Your payments, newest first.',
        tags,
        querystring: z.strictObject({
          limit: z.coerce.number().int().min(1).max(100).default(50),
          after: z.string().max(200).optional().describe('`next` of the page before.'),
        }),
        response: {
          200: z.strictObject({ payments: z.array(paymentSchema), next: z.string().nullable() }),
          ...refusals('AUTH_REQUIRED', 'REQUEST_INVALID'),
        },
      },
    },
    async (request) => {
      const owner = await deps.identity.authenticate(request)
      const { limit, after } = request.query
      const position = after === undefined ? null : orThrow(decodeCursor(after))
      const states = await listPayments(db, { owner, limit: limit + 1, after: position })
      const page = states.slice(0, limit)
      const last = page.at(-1)
      const next = states.length > limit && last ? encodeCursor({ at: last.requestedAt, id: last.id }) : null
      return { payments: page.map(paymentJson), next }
    },
  )
}
