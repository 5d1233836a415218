import { setTimeout as sleep } from 'node:timers/promises'
import type { RefusalCode } from '@holdfast/core'
import type {
  NodeOutcome,
  Payable,
  PaymentReport,
  PaymentState,
} from '@holdfast/core/payments/payment-states'
import { tryTimeoutMs } from '@holdfast/core/payments/payment-tries'
import { NodeError, type Payer, type PayRequest } from '@holdfast/lightning'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { TimedOutError, within } from '../platform/within.ts'
import { keptOutcome } from './kept-outcome.ts'

export type AskDeps = {
  nodes: NodeDirectory
  clock: () => number
  /** How long one job goes on asking about a pending payment, before a later job does. */
  followMs: number
}

type Sendable = Extract<PaymentState, { phase: 'sending' | 'unknown' }>
type Effect = 'pay' | 'look-up'
type Intended = { payable: Payable; note?: string | undefined }

/**
 * Well below `NEVER_SENT_GRACE_MS` of the machine: what was sent just before the deadline has arrived, or never will,
 * when the node is asked whether it was.
 */
const NODE_TIMEOUT_MS = 10_000
const SHORTEST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 250

/**
 * Asks the owner's node to pay, and follows the payment for a while. Doing it twice pays once: the id is the same.
 * Finding the node may take its time; the machine's promise is kept at the moment of asking: a node is never asked to
 * pay after the deadline, nor told to try beyond it.
 */
export async function payOnNode(deps: AskDeps, state: Sendable, signal: AbortSignal): Promise<PaymentReport> {
  const payer = await findPayer(deps, state, 'pay')
  if ('kind' in payer) return payer
  const timeoutMs = tryTimeoutMs(state, deps.clock())
  if (timeoutMs <= 0) return told(state, 'look-up', () => lookUpAndFollow(deps, payer, state, signal))
  const { nodePaymentId: paymentId, amountMsat, maxFeeMsat } = state
  const destination = destinationOf(state)
  return told(state, 'pay', async () => {
    const accepted = await within(
      NODE_TIMEOUT_MS,
      payer.pay({ paymentId, destination, amountMsat, maxFeeMsat, timeoutMs }),
    )
    return follow(deps, payer, state, accepted, signal)
  })
}

/** What the node is asked to pay. */
export function destinationOf({ payable, note }: Intended): PayRequest['destination'] {
  if (payable.kind === 'bolt11') return { kind: payable.kind, invoice: payable.invoice }
  return {
    kind: payable.kind,
    offer: payable.offer,
    ...(note !== undefined && { payerNote: note }),
    ...(payable.payee !== undefined && { payee: payable.payee }),
  }
}

/** Asks the owner's node what became of the payment, and follows it for a while when it is pending. */
export async function lookUpOnNode(
  deps: AskDeps,
  state: Sendable,
  signal: AbortSignal,
): Promise<PaymentReport> {
  const payer = await findPayer(deps, state, 'look-up')
  if ('kind' in payer) return payer
  return told(state, 'look-up', () => lookUpAndFollow(deps, payer, state, signal))
}

async function lookUpAndFollow(deps: AskDeps, payer: Payer, state: Sendable, signal: AbortSignal) {
  return follow(deps, payer, state, await lookUp(payer, state), signal)
}

/** The node that was to pay, and no other of the same owner: that would make the payment a second time. */
async function findPayer(
  { nodes }: AskDeps,
  state: Sendable,
  effect: Effect,
): Promise<Payer | PaymentReport> {
  try {
    const node = await within(NODE_TIMEOUT_MS, nodes.nodeOf(state.owner))
    if (node?.nodeId !== state.nodeId || node.payer === undefined) {
      return unreachable(state, effect, 'NODE_NOT_CONNECTED')
    }
    return node.payer
  } catch (error) {
    if (isUnreachable(error)) return unreachable(state, effect, 'NODE_OFFLINE')
    throw error
  }
}

/** What the node said, or why it said nothing, as a report. */
async function told(
  state: Sendable,
  effect: Effect,
  ask: () => Promise<NodeOutcome>,
): Promise<PaymentReport> {
  const { attempt } = state
  try {
    return { kind: 'outcome', attempt, outcome: keptOutcome(await ask()) }
  } catch (error) {
    if (isUnreachable(error)) return unreachable(state, effect, 'NODE_OFFLINE')
    if (!(error instanceof NodeError)) throw error
    // A node that cannot say what became of the payment has not refused to make it.
    if (effect === 'look-up') return unreachable(state, effect, 'NODE_CANNOT')
    return {
      kind: 'pay-refused',
      attempt,
      code: error.code === 'conflict' ? 'INVOICE_ALREADY_PAID' : 'NODE_CANNOT',
    }
  }
}

function unreachable({ attempt }: Sendable, effect: Effect, code: RefusalCode): PaymentReport {
  return { kind: 'node-unreachable', attempt, effect, code }
}

async function lookUp(payer: Payer, { nodePaymentId }: Sendable, waitMs = 0): Promise<NodeOutcome> {
  const outcome = await within(NODE_TIMEOUT_MS + waitMs, payer.lookup(nodePaymentId, { waitMs }))
  return outcome ?? { state: 'absent' }
}

/** The outcome once it is not `pending` any more, or the last one when `followMs` are over. */
async function follow(
  { followMs }: AskDeps,
  payer: Payer,
  state: Sendable,
  first: NodeOutcome,
  signal: AbortSignal,
): Promise<NodeOutcome> {
  const began = performance.now()
  let outcome = first
  while (outcome.state === 'pending' && !signal.aborted) {
    const elapsed = performance.now() - began
    // For a node that does not wait: proportional, so that an end is seen at most about a tenth later than it came.
    const pause = Math.min(Math.max(elapsed / 10, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS)
    if (elapsed + pause > followMs) break
    try {
      const asked = performance.now()
      outcome = await lookUp(payer, state, followMs - elapsed)
      const rest = pause - (performance.now() - asked)
      if (outcome.state === 'pending' && rest > 0) await sleep(rest)
    } catch (error) {
      // That the node has taken the payment on must not get lost because it does not answer just now.
      if (error instanceof TimedOutError || error instanceof NodeError) break
      throw error
    }
  }
  return outcome
}

function isUnreachable(error: unknown): boolean {
  return error instanceof TimedOutError || (error instanceof NodeError && error.code === 'offline')
}
