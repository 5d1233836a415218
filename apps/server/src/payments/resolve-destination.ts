import type { Refusal, RefusalCode } from '@holdfast/core'
import { isRefusal } from '@holdfast/core'
import type { PaymentReport, PaymentState } from '@holdfast/core/payments/payment-states'
import { NodeError } from '@holdfast/lightning'
import type { BitcoinUri } from '@holdfast/protocols/bip321'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { TimedOutError, within } from '../platform/within.ts'
import { payableOfUri } from './parse-destination.ts'

type Resolved = { readonly parsed: BitcoinUri; readonly expiresAt: number }

/** Finds and validates a name's record from the root's anchor down; `resolve/` has it. */
export type NameResolver = {
  resolve(name: string): Promise<Resolved | Refusal>
  /** What is known without asking anybody, and still good; null: nothing. */
  remembered(name: string): Resolved | null
}

/** Everything else is what the DNS proves, and asking again would only hear it again. */
const MAY_PASS: ReadonlySet<RefusalCode> = new Set<RefusalCode>(['DNS_UNAVAILABLE', 'OVERLOADED'])
const RESOLVE_TIMEOUT_MS = 10_000
const NODE_TIMEOUT_MS = 10_000

export async function resolveDestination(
  { resolver, nodes, clock }: { resolver: NameResolver; nodes: NodeDirectory; clock: () => number },
  { name, attempt, owner, nodeId }: Extract<PaymentState, { phase: 'resolving' }>,
): Promise<PaymentReport> {
  const failed = (code: RefusalCode, again: boolean): PaymentReport => ({
    kind: 'resolve-failed',
    attempt,
    code,
    again,
  })
  try {
    const node = await within(NODE_TIMEOUT_MS, nodes.nodeOf(owner))
    if (node?.nodeId !== nodeId) return failed('NODE_NOT_CONNECTED', true)
    const resolved = await within(RESOLVE_TIMEOUT_MS, resolver.resolve(name))
    if (isRefusal(resolved)) return failed(resolved.refused, MAY_PASS.has(resolved.refused))
    const payable = payableOfUri(resolved.parsed, node, clock())
    return isRefusal(payable) ? failed(payable.refused, false) : { kind: 'resolved', payable }
  } catch (error) {
    if (error instanceof TimedOutError) return failed('DNS_UNAVAILABLE', true)
    if (error instanceof NodeError && error.code === 'offline') return failed('NODE_OFFLINE', true)
    throw error
  }
}
