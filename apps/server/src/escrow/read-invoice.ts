import { type Refusal, refuse } from '@holdfast/core'
import type { InvoiceFacts } from '@holdfast/core/escrow/worker-invoice'
import { Bolt11Error, decodeInvoice } from '@holdfast/protocols/bolt11'
import type { OperatorNode } from './operator-node.ts'

/**
 * What the machine is told of a BOLT 11 invoice. `decodeInvoice` has verified the signature before anything else of it
 * is believed. Whether the hash is new is found out when it is taken, in the transaction that decides.
 */
export function readInvoice(
  text: string,
  { network }: Pick<OperatorNode, 'network'>,
): InvoiceFacts | Refusal {
  try {
    const invoice = decodeInvoice(text.trim())
    return {
      invoice: invoice.text,
      paymentHash: invoice.paymentHash,
      payee: invoice.payee,
      rightNetwork: invoice.network === network,
      amountMsat: invoice.amountMsat ?? null,
      expiresAt: invoice.expiresAt,
      finalCltv: invoice.minFinalCltvExpiryDelta,
      hashIsNew: true,
    }
  } catch (error) {
    if (error instanceof Bolt11Error) return refuse('INVOICE_INVALID', { rule: error.code })
    throw error
  }
}
