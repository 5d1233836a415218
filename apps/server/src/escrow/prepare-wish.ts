import { isRefusal, type Refusal, refuse } from '@holdfast/core'
import { fundingAmount } from '@holdfast/core/escrow/milestone-decision'
import type { MilestoneState } from '@holdfast/core/escrow/milestone-states'
import { authorize } from '@holdfast/core/escrow/roles'
import type { OpenDatabase } from '../platform/database.ts'
import { within } from '../platform/within.ts'
import type { TellEscrow } from './escrow-saga.ts'
import type { EscrowWish, ReadyRequest } from './escrow-slice.ts'
import { findEscrow } from './escrow-store.ts'
import { isUnreachable } from './hold-effects.ts'
import { NODE_TIMEOUT_MS, type OperatorNode } from './operator-node.ts'
import { nextOwnHash } from './own-hash.ts'
import { readInvoice } from './read-invoice.ts'
import { refuseIfPaidOut } from './refuse-if-paid-out.ts'

type Deps = { database: Pick<OpenDatabase, 'db'>; node: OperatorNode; tell: TellEscrow }

/**
 * Reads and asks what the machine must be told with a wish; before the transaction, because it asks the node. Only for
 * who may have that wish: others are told nothing of an invoice or of the node, and cost no more than a look.
 */
export async function prepareWish(deps: Deps, wish: EscrowWish, id: string): Promise<ReadyRequest | Refusal> {
  if (wish.kind !== 'submit-invoice' && wish.kind !== 'submit-refund-invoice' && wish.kind !== 'fund')
    return wish
  const milestone = await milestoneOf(deps, wish, id)
  if (isRefusal(milestone)) return milestone
  if (wish.kind === 'fund') return prepareFunding(deps, wish, id, milestone)
  const invoice = readInvoice(wish.invoice, deps.node)
  if (isRefusal(invoice)) return invoice
  const isRepayment = wish.kind === 'submit-refund-invoice' && milestone.phase === 'premature'
  const refused = isRepayment ? await orRefused(() => refuseIfPaidOut(deps, id, milestone)) : null
  return refused ?? { ...wish, invoice }
}

type Prepared = Extract<EscrowWish, { kind: 'submit-invoice' | 'submit-refund-invoice' | 'fund' }>

async function milestoneOf(
  { database }: Deps,
  wish: Prepared,
  id: string,
): Promise<MilestoneState | Refusal> {
  const escrow = await findEscrow(database.db, id)
  if (escrow === null) return refuse('ESCROW_NOT_FOUND')
  const role = authorize(escrow, wish)
  if (isRefusal(role)) return role
  const { milestone } = wish
  return escrow.milestones[milestone] ?? refuse('ESCROW_NOT_FOUND', { milestone })
}

function prepareFunding(
  deps: Deps,
  wish: Extract<EscrowWish, { kind: 'fund' }>,
  id: string,
  now: MilestoneState,
): Promise<ReadyRequest | Refusal> {
  return orRefused(async () => {
    const balance = await within(NODE_TIMEOUT_MS, deps.node.funds.balance())
    const { sendableMsat: spendableMsat, receivableMsat } = balance
    // The buyer's payment would find no way to us.
    if (receivableMsat < fundingAmount(now.terms)) return refuse('ESCROW_LIQUIDITY_LACKING')
    const isOwn = now.custody === 'coordinated' && now.phase === 'planned'
    const paymentHash = isOwn ? await nextOwnHash(deps, { id, milestone: wish.milestone }) : null
    return { ...wish, spendableMsat, paymentHash }
  })
}

async function orRefused<T>(ask: () => Promise<T>): Promise<T | Refusal> {
  try {
    return await ask()
  } catch (error) {
    if (isUnreachable(error)) return refuse('NODE_OFFLINE')
    throw error
  }
}
