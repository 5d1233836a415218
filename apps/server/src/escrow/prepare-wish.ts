import { isRefusal, type Refusal, refuse } from '@holdfast/core'
import { fundingAmount } from '@holdfast/core/escrow/milestone-decision'
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

/** Reads and asks what the machine must be told with a wish; before the transaction, because it asks the node. */
export async function prepareWish(deps: Deps, wish: EscrowWish, id: string): Promise<ReadyRequest | Refusal> {
  if (wish.kind === 'submit-invoice' || wish.kind === 'submit-refund-invoice') {
    const invoice = readInvoice(wish.invoice, deps.node)
    if (isRefusal(invoice)) return invoice
    const refused = wish.kind === 'submit-refund-invoice' ? await refuseRepayment(deps, wish, id) : null
    return refused ?? { ...wish, invoice }
  }
  return wish.kind === 'fund' ? prepareFunding(deps, wish, id) : wish
}

async function refuseRepayment(
  deps: Deps,
  { milestone }: Extract<EscrowWish, { kind: 'submit-refund-invoice' }>,
  id: string,
): Promise<Refusal | null> {
  const now = (await findEscrow(deps.database.db, id))?.milestones[milestone]
  return now?.phase === 'premature' ? orRefused(() => refuseIfPaidOut(deps, id, now)) : null
}

function prepareFunding(
  deps: Deps,
  wish: Extract<EscrowWish, { kind: 'fund' }>,
  id: string,
): Promise<ReadyRequest | Refusal> {
  return orRefused(async () => {
    const balance = await within(NODE_TIMEOUT_MS, deps.node.funds.balance())
    const { sendableMsat: spendableMsat, receivableMsat } = balance
    const { milestone } = wish
    const now = (await findEscrow(deps.database.db, id))?.milestones[milestone]
    // The buyer's payment would find no way to us.
    if (now && receivableMsat < fundingAmount(now.terms)) return refuse('ESCROW_LIQUIDITY_LACKING')
    const isOwn = now?.custody === 'coordinated' && now.phase === 'planned'
    const paymentHash = isOwn ? await nextOwnHash(deps, { id, milestone }) : null
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
