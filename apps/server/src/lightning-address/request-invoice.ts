import { randomUUID } from 'node:crypto'
import { isRefusal, parseMsat, type Refusal, refuse } from '@holdfast/core'
import { type Invoices, type Network, NodeError } from '@holdfast/lightning'
import { decodeInvoice } from '@holdfast/protocols/bolt11'
import { LnurlError } from '@holdfast/protocols/lnurl/error'
import { metadataHash } from '@holdfast/protocols/lnurl/metadata'
import { checkPayInvoice, lengthOf } from '@holdfast/protocols/lnurl/pay-callback'
import { type PayerData, readPayerData } from '@holdfast/protocols/lnurl/payer-data'
import { zapDescriptionHash } from '@holdfast/protocols/nip57'
import { type AskNodes, connectedNode, unlessOffline } from '../nodes/connected-node.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { Transact } from '../platform/transaction.ts'
import type { ActiveName } from './active-name.ts'
import { type AddressInvoice, pauseAfter } from './address-invoice.ts'
import { countOpen, insertInvoice } from './address-invoice-store.ts'
import { type AddressTerms, metadataOf, PAYER_DATA_WISH } from './address-terms.ts'
import { lookJob } from './look-at-invoice.ts'
import { acceptZap, type ZapReceipts } from './zaps.ts'

/** The query of a callback, as it came. */
export type Callback = {
  readonly amount: string
  readonly comment?: string | undefined
  readonly payerdata?: string | undefined
  /** NIP-57. */
  readonly nostr?: string | undefined
}

export type RequestInvoiceDeps = AskNodes & {
  transact: Transact
  database: Pick<OpenDatabase, 'db'>
  clock: () => number
  terms: AddressTerms
  zaps: ZapReceipts | null
}

/** What the callback asks for, every part of it checked. */
type Order = {
  readonly amountMsat: bigint
  readonly descriptionHash: string
  readonly comment: string | null
  readonly payerData: PayerData | null
  readonly zapRequest: string | null
}

/** Has the owner's node make an invoice for a payer, and remembers what the payer said. */
export async function requestInvoice(
  deps: RequestInvoiceDeps,
  name: ActiveName,
  callback: Callback,
): Promise<AddressInvoice | Refusal> {
  const order = readOrder(deps, name, callback)
  if (isRefusal(order)) return order
  const now = deps.clock()
  const { openPerName: most } = deps.terms
  // Counted exactly below; here so that no node is asked in vain.
  if ((await countOpen(deps.database.db, name, now)) >= most) return refuse('ADDRESS_BUSY')
  const node = await invoicingNode(deps, name)
  if (isRefusal(node)) return node
  const made = await unlessOffline(deps, () => makeInvoice(node, order, deps))
  if (isRefusal(made)) return made
  const { descriptionHash: _, ...said } = order
  const { user, domain, owner, answeredBy } = name
  const invoice: AddressInvoice = {
    ...{ id: randomUUID(), ...made, user, domain, owner, ...said, requestedAt: now },
    ...{ phase: 'open', lookAt: now + pauseAfter(0) },
  }
  const hadRoom = await deps.transact(async (tx) => {
    const inserted = await insertInvoice(tx.db, invoice, { answeredBy, most })
    if (inserted) tx.enqueue(lookJob(invoice))
    return inserted
  })
  return hadRoom ? invoice : refuse('ADDRESS_BUSY')
}

type InvoicingNode = { readonly invoices: Invoices; readonly network: Network }

/** The owner's node, if it can be asked for an invoice now. */
export async function invoicingNode(
  asking: AskNodes,
  { owner }: Pick<ActiveName, 'owner'>,
): Promise<InvoicingNode | Refusal> {
  const node = await connectedNode(asking, owner)
  // Whether a node was ever connected is between the owner and us.
  if (isRefusal(node)) return refuse('NODE_OFFLINE')
  const { invoices, network } = node
  return invoices ? { invoices, network } : refuse('NODE_CANNOT')
}

function readOrder(
  { terms, zaps }: RequestInvoiceDeps,
  name: ActiveName,
  { amount, comment = '', payerdata, nostr }: Callback,
): Order | Refusal {
  const amountMsat = parseMsat(amount)
  if (isRefusal(amountMsat)) return amountMsat
  const { minMsat, maxMsat, commentCharacters } = terms
  if (amountMsat < minMsat || amountMsat > maxMsat)
    return refuse('ADDRESS_AMOUNT_OUTSIDE', { minMsat: `${minMsat}`, maxMsat: `${maxMsat}` })
  if (lengthOf(comment) > commentCharacters)
    return refuse('COMMENT_TOO_LONG', { commentAllowed: commentCharacters })
  const payerData = payerdata === undefined ? null : readPayer(payerdata)
  if (isRefusal(payerData)) return payerData
  const zap = nostr === undefined ? null : acceptZap(zaps, nostr, { owner: name.owner, amountMsat })
  if (isRefusal(zap)) return zap
  return {
    amountMsat,
    // NIP-57: "this zap request note and this note only. No additional lnurl metadata".
    descriptionHash: zap ? zapDescriptionHash(zap) : metadataHash(metadataOf(name), payerdata),
    comment: comment === '' ? null : withoutControls(comment),
    payerData,
    zapRequest: zap?.raw ?? null,
  }
}

function readPayer(raw: string): PayerData | Refusal {
  try {
    return readPayerData(raw, PAYER_DATA_WISH)
  } catch (error) {
    if (error instanceof LnurlError) return refuse('PAYER_DATA_INVALID', { rule: error.message })
    throw error
  }
}

/** Line breaks stay. Nothing commits to the comment, so that it may be tidied. */
function withoutControls(comment: string): string {
  return comment.replace(/[^\P{Cc}\n]/gu, ' ')
}

async function makeInvoice(
  { invoices, network }: InvoicingNode,
  { amountMsat, descriptionHash }: Order,
  { terms, clock }: RequestInvoiceDeps,
) {
  try {
    const { expirySeconds } = terms
    const made = await invoices.create({ amountMsat, descriptionHash, expirySeconds })
    const decoded = decodeInvoice(made.invoice)
    // What we pass on is what was asked for, whatever the node is.
    checkPayInvoice(decoded, { amountMsat, descriptionHash })
    if (decoded.paymentHash !== made.paymentHash || decoded.network !== network)
      throw new Error('the node answered an invoice on another hash or network')
    if (decoded.expiresAt <= clock()) throw new Error('the node answered an invoice that has expired')
    return { invoice: decoded.text, paymentHash: decoded.paymentHash, expiresAt: decoded.expiresAt }
  } catch (error) {
    if (error instanceof NodeError && error.code === 'unsupported') return refuse('NODE_CANNOT')
    throw error
  }
}
