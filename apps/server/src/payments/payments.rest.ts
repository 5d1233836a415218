import { isRefusal, refuse } from '@holdfast/core'
import type { PaymentState } from '@holdfast/core/payments/payment-states'
import type { Hex } from '@holdfast/lightning'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import { askedBefore, directoryAtHand } from '../nodes/connected-node.ts'
import { type ChangeSignal, waitField, waitUntil } from '../platform/change-signal.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import { orThrow, RefusalError, refusals } from '../platform/http/problem.ts'
import { cutPage, decodeCursor, pageFields } from '../platform/page-cursor.ts'
import { paymentJson, paymentSchema } from './payment-json.ts'
import { findPayment, listPayments } from './payment-store.ts'
import { type RequestDeps, requestPayment } from './request-payment.ts'

export type PaymentRoutes = RequestDeps & {
  database: Pick<OpenDatabase, 'db'>
  identity: Pick<Identity, 'mutate' | 'authenticate'>
  changes: ChangeSignal<PaymentState>
  /** Aborted when the server stops: whoever waits is answered with what there is. */
  closing?: AbortSignal
}

/** For at most `wait` seconds. `committed`: what is known already. */
type Waiting = { owner: Hex; id: string; wait: number; committed?: PaymentState | undefined }

const tags = ['payments']
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export function addPaymentRoutes(app: App, deps: PaymentRoutes): void {
  const { db } = deps.database

  app.post(
    '/v1/payments',
    {
      schema: {
        summary: 'Pay a name, an offer, an invoice or a BIP-321 URI from your node.',
        description:
          'Answers 202 as soon as the intention is kept; follow it with GET /v1/payments/:id?wait=. With ?wait= it answers 200 with the end, or 202 with what there is by then; sent again with the same Idempotency-Key it tells what has become of that payment. Where the destination names an amount, exactly that is paid.',
        tags,
        querystring: z.strictObject({ wait: waitField('payment') }),
        body: z.strictObject({
          to: z
            .string()
            .max(16_384)
            .describe('BIP-353 name, with or without ₿, BOLT 12 offer, BOLT 11 invoice or BIP-321 URI.'),
          amountMsat: z
            .string()
            .max(64)
            .optional()
            .describe('Millisatoshi as a decimal string. Needed unless the destination names an amount.'),
          maxFeeMsat: z
            .string()
            .max(64)
            .optional()
            .describe('Millisatoshi as a decimal string. Default: 1 % of the amount, at least 10000.'),
          note: z
            .string()
            .min(1)
            .max(500)
            .optional()
            .describe(
              'A message to the payee. An offer or a Lightning Address can take one, an invoice cannot.',
            ),
          fallback: z
            .enum(['lightning-address'])
            .optional()
            .describe(
              'With a name: pay its Lightning Address when the DNS has no instruction for it. Who is paid is then not proven by DNSSEC.',
            ),
        }),
        response: {
          200: paymentSchema,
          202: paymentSchema,
          ...refusals(
            'REQUEST_INVALID',
            'AUTH_REQUIRED',
            'AMOUNT_INVALID',
            'AMOUNT_REQUIRED',
            'AMOUNT_MISMATCH',
            'FEE_LIMIT_INVALID',
            'NODE_NOT_CONNECTED',
            'NODE_CANNOT',
            'NODE_OFFLINE',
            'PAYMENT_TO_SELF',
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
            'NOTE_NOT_ACCEPTED',
          ),
        },
      },
    },
    (request, reply) => {
      const made = new Map<string, PaymentState>()
      return deps.identity.mutate(
        request,
        reply,
        {
          atHand: (owner) => directoryAtHand(deps, owner),
          prepare: (owner) => askedBefore(deps, owner),
          async work(tx, owner, nodes) {
            const state = await requestPayment({ ...deps, nodes }, tx, owner, request.body)
            if (isRefusal(state)) return state
            made.set(state.id, state)
            return { status: 202, headers: { location: whereIs(state) }, body: paymentJson(state) }
          },
        },
        async (owner, { body }) => {
          const { wait } = request.query
          if (wait === 0) return null
          const { id } = JSON.parse(body)
          // Not in it is one of a request that was carried out before.
          const state = await whenEnded(request, { owner, id, wait, committed: made.get(id) })
          if (state === null) return null
          const headers = { location: whereIs(state) }
          return { status: hasEnded(state) ? 200 : 202, headers, body: paymentJson(state) }
        },
      )
    },
  )

  app.get(
    '/v1/payments/:id',
    {
      schema: {
        summary: 'What became of one of your payments.',
        tags,
        params: z.strictObject({ id: z.string() }),
        querystring: z.strictObject({ wait: waitField('payment') }),
        response: { 200: paymentSchema, ...refusals('AUTH_REQUIRED', 'PAYMENT_NOT_FOUND') },
      },
    },
    async (request) => {
      const owner = await deps.identity.authenticate(request)
      const { id } = request.params
      if (!uuid.test(id)) throw new RefusalError(refuse('PAYMENT_NOT_FOUND'))
      const state = await whenEnded(request, { owner, id, wait: request.query.wait })
      if (state === null) throw new RefusalError(refuse('PAYMENT_NOT_FOUND'))
      return paymentJson(state)
    },
  )

  app.get(
    '/v1/payments',
    {
      schema: {
        summary: 'Your payments, newest first.',
        tags,
        querystring: z.strictObject({
          ...pageFields,
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
      const { page, next } = cutPage(states, limit)
      return { payments: page.map(paymentJson), next }
    },
  )

  /** The payment as it has ended, or as it is when time is up, the server stops or nobody listens any more. */
  function whenEnded(
    { raw: { socket } }: Pick<FastifyRequest, 'raw'>,
    { owner, id, wait, committed }: Waiting,
  ): Promise<PaymentState | null> {
    const look = async (told?: PaymentState) => {
      const state = told ?? (await findPayment(db, id))
      // Whether another owner has such a payment is nobody's business.
      return state?.owner === owner ? state : null
    }
    const isTold = (seen: PaymentState | null) =>
      deps.closing?.aborted || socket.destroyed || seen === null || hasEnded(seen)
    return waitUntil(deps.changes, id, wait * 1000, look, isTold, committed)
  }
}

function hasEnded({ phase }: PaymentState): boolean {
  return phase === 'succeeded' || phase === 'failed'
}

function whereIs({ id }: PaymentState): string {
  return `/v1/payments/${id}`
}
