import type { Invoice } from '../bolt11.ts'
import { readAnswer, readText } from './answer.ts'
import { LnurlError } from './error.ts'
import { metadataHash } from './metadata.ts'
import type { PayRequest } from './pay-request.ts'
import { type PayerData, readPayerData } from './payer-data.ts'

/** What a payer decided on seeing a `PayRequest`. */
export type PayOrder = {
  readonly amountMsat: bigint
  readonly comment?: string
  readonly payerData?: PayerData
}

/** The second request of a wallet, and what the invoice that answers it must be. */
export type PayCallback = {
  readonly url: string
  readonly amountMsat: bigint
  /** SHA-256, hex. */
  readonly descriptionHash: string
}

/** Throws `LnurlError('not-allowed')` for what the service said it does not take. */
export function makePayCallback(request: PayRequest, order: PayOrder): PayCallback {
  const { amountMsat, comment = '' } = order
  if (amountMsat < request.minMsat || amountMsat > request.maxMsat)
    throw new LnurlError('not-allowed', 'the amount is outside of what the service takes')
  if (lengthOf(comment) > request.commentAllowed)
    throw new LnurlError('not-allowed', `a comment has at most ${request.commentAllowed} characters here`)
  const payerData = writePayerData(request, order.payerData)
  const url = new URL(request.callback)
  url.searchParams.set('amount', `${amountMsat}`)
  if (comment !== '') url.searchParams.set('comment', comment)
  if (payerData !== '') url.searchParams.set('payerdata', payerData)
  return { url: url.href, amountMsat, descriptionHash: metadataHash(request.rawMetadata, payerData) }
}

/** Reads the answer to a callback: the invoice, not decoded, and LUD-21's `verify`. Throws `LnurlError`. */
export function readPayCallback(answer: unknown): { invoice: string; verify: string | null } {
  const read = readAnswer(answer)
  const invoice = readText(read, 'pr', 8_000)
  return { invoice, verify: typeof read.verify === 'string' ? read.verify : null }
}

/** LUD-06, steps 6 and 7: the wallet verifies hash and amount before it pays. Throws `LnurlError('wrong-invoice')`. */
export function checkPayInvoice(invoice: Invoice, asked: Omit<PayCallback, 'url'>): void {
  if (invoice.amountMsat !== asked.amountMsat)
    throw new LnurlError('wrong-invoice', 'the invoice is not about the amount that was asked for')
  if (!('hash' in invoice.description) || invoice.description.hash !== asked.descriptionHash)
    throw new LnurlError('wrong-invoice', 'the invoice does not commit to what the service described')
}

/** Characters as a reader counts them, not UTF-16 units. */
export function lengthOf(text: string): number {
  return [...text].length
}

function writePayerData({ payerData: wish }: PayRequest, sent: PayerData | undefined): string {
  if (wish === null) {
    // "WALLET SHOULD NOT send payer identity types omitted in payerData record, none at all if record is not present."
    if (sent !== undefined) throw new LnurlError('not-allowed', 'the service does not take payer data')
    return ''
  }
  const raw = JSON.stringify(sent ?? {})
  if (Object.keys(readPayerData(raw, wish)).length < Object.keys(sent ?? {}).length)
    throw new LnurlError('not-allowed', 'the service did not ask for all of this payer data')
  return sent === undefined ? '' : raw
}
