import { type Refusal, refuse } from '@holdfast/core'
import type { InvoiceFacts } from '@holdfast/core/escrow/worker-invoice'
import { bareText } from '@holdfast/protocols/bare-text'
import { Bolt11Error, decodeInvoice, type Invoice } from '@holdfast/protocols/bolt11'
import type { OperatorNode } from './operator-node.ts'

/**
 * What the machine is told of a BOLT 11 invoice. `decodeInvoice` has verified the signature before anything else of it
 * is believed. Whether the hash is new is found out when it is taken, in the transaction that decides.
 */
export function readInvoice(
  text: string,
  { network, nodeId }: Pick<OperatorNode, 'network' | 'nodeId'>,
): InvoiceFacts | Refusal {
  try {
    const invoice = decodeInvoice(bareText(text))
    return {
      invoice: invoice.text,
      paymentHash: invoice.paymentHash,
      payee: invoice.payee,
      rightNetwork: invoice.network === network,
      amountMsat: invoice.amountMsat ?? null,
      expiresAt: invoice.expiresAt,
      finalCltv: invoice.minFinalCltvExpiryDelta + leastHintCltv(invoice.routeHints, nodeId),
      hashIsNew: true,
    }
  } catch (error) {
    if (error instanceof Bolt11Error) return refuse('INVOICE_INVALID', { rule: error.code })
    throw error
  }
}

/**
 * The blocks that the hops of the shortest route hint ask for: a payee that gives hints is reached by one of them (BOLT
 * 11, field `r`). A hop that leaves our own node, and those before it, cost us none.
 */
function leastHintCltv(hints: Invoice['routeHints'], nodeId: string): number {
  const needed = hints.map((hops) => {
    const own = hops.findLastIndex((hop) => hop.nodeId === nodeId)
    return hops.slice(own + 1).reduce((sum, hop) => sum + hop.cltvExpiryDelta, 0)
  })
  return needed.length === 0 ? 0 : Math.min(...needed)
}
