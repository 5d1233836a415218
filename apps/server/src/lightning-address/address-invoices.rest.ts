import { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import { orThrow, refusals } from '../platform/http/problem.ts'
import { cutPage, decodeCursor, pageFields } from '../platform/page-cursor.ts'
import type { AddressInvoice } from './address-invoice.ts'
import { listInvoices } from './address-invoice-store.ts'

const milliseconds = z.number().int().describe('Milliseconds since 1970.')
const msat = z.string().describe('Millisatoshi as a decimal string.')
const states = z.enum(['open', 'paid', 'expired', 'unknown'])

const addressInvoiceSchema = z
  .strictObject({
    id: z.string(),
    name: z.string().describe('`user@domain`'),
    state: states.describe('`unknown`: your node never told what became of it.'),
    paymentHash: z.string(),
    invoice: z.string(),
    amountMsat: msat,
    receivedMsat: msat.optional(),
    comment: z.string().optional().describe('What the payer wrote. Kept for 90 days after the payment.'),
    payer: z
      .strictObject({ name: z.string(), pubkey: z.string(), identifier: z.string() })
      .partial()
      .optional()
      .describe('What the payer told of themselves; nobody has verified it. Kept for 90 days.'),
    zap: z.boolean(),
    createdAt: milliseconds,
    expiresAt: milliseconds,
    paidAt: milliseconds.optional(),
  })
  .meta({ title: 'AddressInvoice' })

/** What the owner of a Lightning Address sees of it. */
export function addAddressInvoiceRoutes(
  app: App,
  deps: { database: Pick<OpenDatabase, 'db'>; identity: Pick<Identity, 'authenticate'> },
): void {
  app.get(
    '/v1/address-invoices',
    {
      schema: {
        summary: 'Invoices that were asked for at your Lightning Addresses, newest first.',
        tags: ['lightning address'],
        querystring: z.strictObject({ owner: z.literal('me'), state: states.optional(), ...pageFields }),
        response: {
          200: z.strictObject({ invoices: z.array(addressInvoiceSchema), next: z.string().nullable() }),
          ...refusals('AUTH_REQUIRED', 'REQUEST_INVALID'),
        },
      },
    },
    async (request) => {
      const owner = await deps.identity.authenticate(request)
      const { limit, after, state = null } = request.query
      const position = after === undefined ? null : orThrow(decodeCursor(after))
      const found = await listInvoices(deps.database.db, {
        ...{ owner, phase: state, limit: limit + 1, after: position },
      })
      const { page, next } = cutPage(found, limit)
      return { invoices: page.map(invoiceJson), next }
    },
  )
}

function invoiceJson(invoice: AddressInvoice) {
  const { id, paymentHash, comment, payerData, requestedAt: createdAt, expiresAt } = invoice
  return {
    ...{ id, name: `${invoice.user}@${invoice.domain}`, state: invoice.phase, paymentHash },
    ...{ invoice: invoice.invoice, amountMsat: `${invoice.amountMsat}` },
    ...(invoice.phase === 'paid' && { receivedMsat: `${invoice.receivedMsat}`, paidAt: invoice.paidAt }),
    ...(comment !== null && { comment }),
    ...(payerData !== null && { payer: payerData }),
    ...{ zap: invoice.zapRequest !== null, createdAt, expiresAt },
  }
}
