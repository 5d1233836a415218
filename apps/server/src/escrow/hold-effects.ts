import type { EscrowReport } from '@holdfast/core/escrow/escrow-states'
import { holdOrder } from '@holdfast/core/escrow/funding'
import type { HoldSaid, In } from '@holdfast/core/escrow/milestone-states'
import { NodeError } from '@holdfast/lightning'
import { TimedOutError, within } from '../platform/within.ts'
import { NODE_TIMEOUT_MS, type OperatorNode } from './operator-node.ts'

type Node = Pick<OperatorNode, 'holdInvoices'>

/** Makes the hold invoice; making it twice is making it once. */
export function createHold(node: Node, state: In<'awaiting-funds'>): Promise<EscrowReport> {
  const { index: milestone, paymentHash, attempt } = state
  return orFailed({ kind: 'hold-failed', milestone, effect: 'create-hold', attempt }, async () => {
    const invoice = await makeHold(node, state)
    return invoice === null
      ? sayHold(milestone, paymentHash, { state: 'cancelled' })
      : { kind: 'hold-created', milestone, paymentHash, invoice }
  })
}

/** Finishes the hash for ever: what is held goes back, and what arrives later is failed at once. */
export function cancelHold(node: Node, state: In<'closing' | 'refunding'>): Promise<EscrowReport> {
  const { index: milestone, attempt, paymentHash } = state
  return orFailed({ kind: 'hold-failed', milestone, effect: 'cancel-hold', attempt }, async () => {
    if (await cancel(node, paymentHash))
      return sayHold(milestone, paymentHash, await lookUp(node, paymentHash))
    // The node has not made it yet, but a request to do so may still be on its way: it must find the hash finished.
    const isMade = (await makeHold(node, state)) !== null
    if (isMade) await cancel(node, paymentHash)
    const said = isMade ? await lookUp(node, paymentHash) : ({ state: 'cancelled' } as const)
    return sayHold(milestone, paymentHash, said)
  })
}

/** Null: it never will be, because an ordinary invoice of the node has the hash. The worker has chosen it. */
async function makeHold(
  node: Node,
  state: In<'awaiting-funds' | 'closing' | 'refunding'>,
): Promise<string | null> {
  try {
    return (await within(NODE_TIMEOUT_MS, node.holdInvoices.create(holdOrder(state)))).invoice
  } catch (error) {
    const isTaken = error instanceof NodeError && error.code === 'conflict'
    if (isTaken && (await lookUp(node, state.paymentHash)).state === 'absent') return null
    throw error
  }
}

/** False: the node knows of no such hold. */
async function cancel({ holdInvoices }: Node, paymentHash: string): Promise<boolean> {
  try {
    await within(NODE_TIMEOUT_MS, holdInvoices.cancel(paymentHash))
  } catch (error) {
    if (error instanceof NodeError && error.code === 'not-held') return false
    // It is being claimed: whoever looks it up learns so.
    if (!(error instanceof NodeError) || error.code !== 'conflict') throw error
  }
  return true
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
    case 'lost':
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
