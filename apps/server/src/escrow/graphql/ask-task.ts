import { isRefusal, type Refusal, refuse } from '@holdfast/core'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import type { Hex } from '@holdfast/lightning'
import { RefusalError } from '../../platform/http/problem.ts'
import type { Transaction } from '../../platform/transaction.ts'
import type { EscrowWish } from '../escrow-slice.ts'
import { findEscrow } from '../escrow-store.ts'
import type { EscrowContext } from './builder.ts'
import { type TaskView, viewFor } from './task-view.ts'

/** What a mutation answers: the task as it is now, and whether the request had been made before. */
export type Changed = { readonly task: TaskView; readonly replayed: boolean }

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export function checkedId(id: string): string {
  if (!UUID.test(id)) throw new RefusalError(refuse('ESCROW_NOT_FOUND'))
  return id
}

/** The task, for whoever may see it. Throws ESCROW_NOT_FOUND. */
export async function readTask(
  context: Pick<EscrowContext, 'escrows'>,
  id: string,
  viewer: Hex | null,
): Promise<TaskView> {
  const escrow = await context.escrows.find(checkedId(id))
  return shown(escrow, viewer)
}

export function shown(escrow: EscrowState | null, viewer: Hex | null): TaskView {
  const view = escrow === null ? null : viewFor(escrow, viewer)
  if (view === null) throw new RefusalError(refuse('ESCROW_NOT_FOUND'))
  return view
}

/** A wish without the one who has it: that is who signed the request. */
export type Wished<W extends EscrowWish = EscrowWish> = W extends EscrowWish ? Omit<W, 'by'> : never

/** Does in a task what its signer asks for, once. */
export function askTask(context: EscrowContext, id: string, wished: Wished): Promise<Changed> {
  const { escrows } = context
  checkedId(id)
  return change(context, {
    prepare: (by) => escrows.prepare({ ...wished, by } as EscrowWish, id),
    // Before an invoice for a repayment is taken, what the node knows of a forgotten payout is heard.
    isPreparedByReading: wished.kind !== 'submit-refund-invoice',
    async work(tx, by, ready) {
      const state = isRefusal(ready) ? ready : await escrows.ask(tx, id, ready)
      return isRefusal(state) ? conceal(tx, id, by, state) : state
    },
  })
}

/** Runs a signed mutation once, and shows the task as its signer sees it now. */
export async function change<Ready>(
  context: EscrowContext,
  steps: {
    prepare: (by: Hex) => Promise<Ready>
    isPreparedByReading?: boolean
    work: (tx: Transaction, by: Hex, ready: Ready) => Promise<EscrowState | Refusal>
  },
): Promise<Changed> {
  let changed: EscrowState | null = null
  const { owner, said, replayed } = await context.perform({
    ...steps,
    async work(tx, by, ready) {
      const state = await steps.work(tx, by, ready)
      if (isRefusal(state)) return state
      changed = state
      return { task: state.id }
    },
  })
  const escrow = replayed ? await context.escrows.find(said.task) : changed
  return { task: shown(escrow, owner), replayed }
}

/** To whom a task is not shown, no refusal may tell that it exists. */
async function conceal(tx: Transaction, id: string, by: Hex, refusal: Refusal): Promise<Refusal> {
  const escrow = await findEscrow(tx.db, id)
  return escrow === null || viewFor(escrow, by) === null ? refuse('ESCROW_NOT_FOUND') : refusal
}
