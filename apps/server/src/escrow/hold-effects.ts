import type { EscrowReport } from '@holdfast/core/escrow/escrow-states'
import { holdOrder } from '@holdfast/core/escrow/funding'
import type { HoldSaid, In } from '@holdfast/core/escrow/milestone-states'
import { NodeError } from '@holdfast/lightning'
import { TimedOutError, within } from '../platform/within.ts'
import { NODE_TIMEOUT_MS, type OperatorNode } from './operator-node.ts'

type Node = Pick<OperatorNode, 'holdInvoices'>

/** Makes the hold invoice; making it twice is making it once. */
export function createHold({ holdInvoices }: Node, state: In<'awaiting-funds'>): Promise<EscrowReport> {
  const { index: milestone, paymentHash, attempt } = state
  return orFailed({ kind: 'hold-failed', milestone, effect: 'create-hold', attempt }, async () => {
    const { invoice } = await within(NODE_TIMEOUT_MS, holdInvoices.create(holdOrder(state)))
    return { kind: 'hold-created', milestone, paymentHash, invoice }
  })
}

/** Finishes the hash for ever: what is held goes back, and what arrives later is failed at once. */
export function cancelHold(node: Node, state: In<'closing' | 'refunding'>): Promise<EscrowReport> {
  const { index: milestone, attempt } = state
  return orFailed({ kind: 'hold-failed', milestone, effect: 'cancel-hold', attempt }, async () => {
    await within(NODE_TIMEOUT_MS, cancelForEver(node, state))
    return sayHold(milestone, state.paymentHash, await lookUp(node, state.paymentHash))
  })
}

async function cancelForEver({ holdInvoices }: Node, state: In<'closing' | 'refunding'>): Promise<void> {
  try {
    await holdInvoices.cancel(state.paymentHash)
  } catch (error) {
    if (!(error instanceof NodeError)) throw error
    // It is being claimed: whoever looks it up learns so.
    if (error.code === 'conflict') return
    if (error.code !== 'not-held') throw error
    // The node has not made it yet, but a request to do so may still be on its way: it must find the hash finished.
    await holdInvoices.create(holdOrder(state))
    await holdInvoices.cancel(state.paymentHash)
  }
}

/** Claims a hold of the operator's own hash, after the worker was paid; `claim` is how. */
export function settleHold(
  node: Node,
  { index: milestone, attempt, paymentHash }: In<'claiming'>,
  claim: () => Promise<void>,
): Promise<EscrowReport> {
  return orFailed({ kind: 'hold-failed', milestone, effect: 'settle-hold', attempt }, async () => {
    try {
      await claim()
    } catch (error) {
      // Whoever looks it up learns where the money is.
      if (!(error instanceof NodeError) || error.code !== 'not-held') throw error
    }
    return sayHold(milestone, paymentHash, await lookUp(node, paymentHash))
  })
}

/** What the node says of the hold; null: it does not answer just now. */
export async function lookUpHold(
  node: Node,
  { milestone, paymentHash }: { milestone: number; paymentHash: string },
): Promise<EscrowReport | null> {
  try {
    return sayHold(milestone, paymentHash, await lookUp(node, paymentHash))
  } catch (error) {
    if (isUnreachable(error)) return null
    throw error
  }
}

async function lookUp({ holdInvoices }: Node, paymentHash: string): Promise<HoldSaid> {
  return keptHold((await within(NODE_TIMEOUT_MS, holdInvoices.lookup(paymentHash))) ?? { state: 'absent' })
}

export function sayHold(milestone: number, paymentHash: string, said: HoldSaid): EscrowReport {
  return { kind: 'hold-seen', milestone, paymentHash, said }
}

/** With the members that the port names and no others: it goes into the journal, which forgets nothing. */
function keptHold(said: HoldSaid): HoldSaid {
  switch (said.state) {
    case 'open':
    case 'cancelled':
    case 'absent':
      return { state: said.state }
    case 'held': {
      const { state, amountMsat, claimDeadlineHeight } = said
      return { state, amountMsat, claimDeadlineHeight }
    }
    case 'settling':
    case 'settled':
      return { state: said.state, amountMsat: said.amountMsat }
  }
}

async function orFailed(
  failed: Extract<EscrowReport, { kind: 'hold-failed' }>,
  act: () => Promise<EscrowReport>,
): Promise<EscrowReport> {
  try {
    return await act()
  } catch (error) {
    if (isUnreachable(error) || error instanceof NodeError) return failed
    throw error
  }
}

export function isUnreachable(error: unknown): boolean {
  return error instanceof TimedOutError || (error instanceof NodeError && error.code === 'offline')
}
