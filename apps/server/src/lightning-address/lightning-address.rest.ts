import { type Refusal, refuse } from '@holdfast/core'
import type { VerifyAnswer } from '@holdfast/protocols/lnurl/pay-verify'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { App } from '../platform/http/app.ts'
import { orThrow } from '../platform/http/problem.ts'
import { addressKey, type RateLimiter } from '../platform/http/rate-limiter.ts'
import { type ActiveName, type FindActive, findName, findNameByText } from './active-name.ts'
import { addressUrl, describeAddress } from './address-terms.ts'
import { addLnurlRoutes, lnurlRefusalSchema } from './lnurl-scope.ts'
import { type LookDeps, lookAtInvoice } from './look-at-invoice.ts'
import { invoicingNode, type RequestInvoiceDeps, requestInvoice } from './request-invoice.ts'

export type LightningAddressRoutes = RequestInvoiceDeps &
  LookDeps & {
    findActive: FindActive
    askedDomain(request: FastifyRequest): string
    publicUrl: string
    /** Callbacks and verifications of one sender. */
    perSender: RateLimiter
    /** Callbacks for one name, or for all that a wildcard answers for. */
    perName: RateLimiter
  }

const wish = z.strictObject({ mandatory: z.boolean() })
const payRequestSchema = z
  .strictObject({
    tag: z.literal('payRequest'),
    callback: z.string(),
    minSendable: z.number().int().describe('Millisatoshi.'),
    maxSendable: z.number().int().describe('Millisatoshi.'),
    metadata: z.string().describe('Raw JSON; the invoice commits to its SHA-256.'),
    commentAllowed: z.number().int().describe('LUD-12, in characters.'),
    payerData: z
      .strictObject({ name: wish, pubkey: wish, identifier: wish })
      .partial()
      .describe('LUD-18: what a payer may tell of themselves.'),
    allowsNostr: z.literal(true).optional(),
    nostrPubkey: z.string().optional().describe('NIP-57: who signs zap receipts.'),
  })
  .meta({ title: 'LnurlPayRequest' })

const invoiceSchema = z
  .strictObject({
    status: z.literal('OK'),
    pr: z.string().describe('BOLT 11, made by the node of the owner.'),
    routes: z.array(z.never()),
    disposable: z.literal(false).describe('LUD-11: the address may be kept and paid again.'),
    verify: z.string().describe('LUD-21.'),
  })
  .meta({ title: 'LnurlInvoice' })

const verifySchema = z
  .strictObject({
    status: z.literal('OK'),
    settled: z.boolean(),
    preimage: z.null().describe('Always null: it is between the node and the payer, and never reaches us.'),
    pr: z.string(),
  })
  .meta({ title: 'LnurlVerification' })

const callbackQuery = z.looseObject({
  amount: z.string().max(64).default('').describe('Millisatoshi.'),
  comment: z.string().max(8_000).optional(),
  payerdata: z.string().max(8_000).optional(),
  nostr: z.string().max(10_000).optional().describe('A zap request (NIP-57).'),
})

const tags = ['lightning address']
const params = z.strictObject({ name: z.string() })

export function addLightningAddressRoutes(app: App, deps: LightningAddressRoutes): void {
  const { terms, publicUrl } = deps
  const zapPubkey = deps.zaps?.pubkey ?? null
  /** A wallet should hear now, not after its user has chosen an amount, that nobody is there. */
  const describe = async (name: ActiveName) => {
    orThrow(await invoicingNode(deps, name))
    return describeAddress(name, { terms, publicUrl, zapPubkey })
  }

  addLnurlRoutes(app, (scope) => {
    scope.get(
      '/.well-known/lnurlp/:user',
      {
        schema: {
          summary: 'A name as a Lightning Address (LUD-06, LUD-16).',
          description: 'The domain is the one of the Host header.',
          tags,
          params: z.strictObject({ user: z.string() }),
          response: { 200: z.union([payRequestSchema, lnurlRefusalSchema]) },
        },
      },
      async (request) => describe(await findName(deps, request.params.user, deps.askedDomain(request))),
    )

    scope.get(
      '/lnurlp/:name',
      {
        schema: {
          summary: 'The same, the domain named: user@domain.',
          tags,
          params,
          response: { 200: z.union([payRequestSchema, lnurlRefusalSchema]) },
        },
      },
      async (request) => describe(await findNameByText(deps, request.params.name)),
    )

    scope.get(
      '/lnurlp/:name/callback',
      {
        // A HEAD would have an invoice made that nobody sees.
        exposeHeadRoute: false,
        schema: {
          summary: 'Asks the owner’s node for an invoice (LUD-06, LUD-12, LUD-18).',
          tags,
          params,
          querystring: callbackQuery,
          response: { 200: z.union([invoiceSchema, lnurlRefusalSchema]) },
        },
      },
      async (request) => {
        await deps.perSender.consume(addressKey(request.ip))
        const name = await findNameByText(deps, request.params.name)
        await deps.perName.consume(`${name.answeredBy}@${name.domain}`)
        const invoice = orThrow(await requestInvoice(deps, name, request.query))
        return {
          status: 'OK' as const,
          pr: invoice.invoice,
          routes: [],
          disposable: false as const,
          verify: `${addressUrl(publicUrl, name)}/verify/${invoice.paymentHash}`,
        }
      },
    )

    scope.get(
      '/lnurlp/:name/verify/:paymentHash',
      {
        schema: {
          summary: 'Whether an invoice was paid (LUD-21).',
          tags,
          params: params.extend({ paymentHash: z.string() }),
          response: { 200: z.union([verifySchema, lnurlRefusalSchema]) },
        },
      },
      async (request) => {
        await deps.perSender.consume(addressKey(request.ip))
        return orThrow(await verify(deps, request.params.name, request.params.paymentHash))
      },
    )
  })
}

/**
 * LUD-21. Of an invoice that is not known to be paid the owner's node is asked now; when it does not answer, neither
 * "settled" nor "not settled" would be true.
 */
async function verify(
  deps: LookDeps,
  name: string,
  paymentHash: string,
): Promise<(VerifyAnswer & { preimage: null }) | Refusal> {
  const looked = /^[0-9a-f]{64}$/.test(paymentHash) ? await lookAtInvoice(deps, paymentHash) : null
  if (looked === null || `${looked.invoice.user}@${looked.invoice.domain}` !== name)
    return refuse('ADDRESS_INVOICE_NOT_FOUND')
  const { invoice, heard } = looked
  if (!heard) return refuse('NODE_OFFLINE')
  return { status: 'OK', settled: invoice.phase === 'paid', preimage: null, pr: invoice.invoice }
}
