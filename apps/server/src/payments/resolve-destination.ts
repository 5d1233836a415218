import { isRefusal, type Msat, type Refusal, type RefusalCode, refuse } from '@holdfast/core'
import { mayFallBack } from '@holdfast/core/payments/payment-fallback'
import type { Payable, PaymentReport, PaymentState } from '@holdfast/core/payments/payment-states'
import type { BitcoinUri } from '@holdfast/protocols/bip321'
import { connectedNode } from '../nodes/connected-node.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { TimedOutError, within } from '../platform/within.ts'
import { type PayingNode, payableOfInvoice, payableOfUri } from './parse-destination.ts'
import { takeNote } from './take-note.ts'

type Resolved = {
  /** `user@domain`, canonical. */
  readonly name: string
  readonly parsed: BitcoinUri
  readonly expiresAt: number
}

/** Finds and validates a name's record from the root's anchor down; `resolve/` has it. */
export type NameResolver = {
  resolve(name: string): Promise<Resolved | Refusal>
  /** What is known without asking anybody, and still good; null: nothing. */
  remembered(name: string): Resolved | null
}

/** A BOLT 11 invoice by the host of a Lightning Address over exactly this amount, checked by LUD-06. */
export type InvoiceMaker = {
  invoiceFor(name: string, order: { amountMsat: Msat; note?: string }): Promise<{ invoice: string } | Refusal>
}

/** Everything else is what the DNS proves or a host decided, and asking again would only hear it again. */
const MAY_PASS: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'DNS_UNAVAILABLE',
  'NODE_NOT_CONNECTED',
  'NODE_OFFLINE',
  'ADDRESS_UNAVAILABLE',
])
const RESOLVE_TIMEOUT_MS = 10_000
const NODE_TIMEOUT_MS = 10_000

export type ResolveDeps = {
  resolver: NameResolver
  addresses: InvoiceMaker
  nodes: NodeDirectory
  clock: () => number
}

type Resolving = Extract<PaymentState, { phase: 'resolving' }>

/** Finds out what a name is paid by: what the DNS proves, or, only if the payer asked for it, its Lightning Address. */
export async function resolveDestination(deps: ResolveDeps, state: Resolving): Promise<PaymentReport> {
  const failed = (code: RefusalCode): PaymentReport => {
    return { kind: 'resolve-failed', attempt: state.attempt, code, again: MAY_PASS.has(code) }
  }
  try {
    const node = await connectedNode({ nodes: deps.nodes, nodeTimeoutMs: NODE_TIMEOUT_MS }, state.owner)
    if (isRefusal(node)) return failed(node.refused)
    if (node.nodeId !== state.nodeId) return failed('NODE_NOT_CONNECTED')
    const resolved = await within(RESOLVE_TIMEOUT_MS, deps.resolver.resolve(state.name))
    const payable = isRefusal(resolved)
      ? await fallBack(deps, state, node, resolved)
      : payableOfName(resolved, { node, note: state.note }, deps.clock())
    return isRefusal(payable) ? failed(payable.refused) : { kind: 'resolved', payable }
  } catch (error) {
    if (error instanceof TimedOutError) return failed('DNS_UNAVAILABLE')
    throw error
  }
}

/** BOLT 12: who found an offer by BIP-353 says by which name (`invreq_bip_353_name`). */
export function payableOfName(
  { name, parsed }: Resolved,
  { node, note }: { node: PayingNode; note: string | undefined },
  now: number,
): Payable | Refusal {
  const payable = payableOfUri(parsed, node, now)
  if (isRefusal(payable) || payable.kind === 'bolt11') return payable
  return takeNote({ ...payable, payee: name }, note)
}

async function fallBack(
  { addresses, clock }: ResolveDeps,
  { name, fallback, requestedMsat, note }: Resolving,
  node: PayingNode,
  unresolved: Refusal,
): Promise<Payable | Refusal> {
  if (fallback === undefined || !mayFallBack(unresolved.refused)) return unresolved
  // LUD-06: the payer names the amount.
  if (requestedMsat === null) return refuse('AMOUNT_REQUIRED')
  const order = { amountMsat: requestedMsat, ...(note !== undefined && { note }) }
  const made = await addresses.invoiceFor(name, order)
  if (isRefusal(made)) return made
  const payable = payableOfInvoice(made.invoice, node, clock())
  return isRefusal(payable) ? payable : { ...payable, via: fallback }
}
