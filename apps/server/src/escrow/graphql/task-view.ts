import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import type { MilestoneState } from '@holdfast/core/escrow/milestone-states'
import { type Role, roleOf } from '@holdfast/core/escrow/roles'
import type { Hex } from '@holdfast/lightning'

/** An escrow as somebody in particular may see it. */
export type TaskView = {
  readonly escrow: EscrowState
  readonly viewer: Hex | null
  readonly role: Exclude<Role, 'operator'>
}

export type MilestoneView = { readonly task: TaskView; readonly milestone: MilestoneState }

/**
 * Who may read what: the only place that says so; `list-escrows.ts` says the same in SQL. Null: whether
 * there is such an escrow is nobody's business. A draft is its buyer's; an order its parties'; a task can be read by
 * everybody from its publication on, and when nothing came of it by those who had to do with it.
 */
export function viewFor(escrow: EscrowState, viewer: Hex | null): TaskView | null {
  const role = viewer === null ? 'stranger' : roleOf(escrow, viewer)
  if (role === 'operator') throw new Error('A viewer is a public key.')
  const isParty = role !== 'stranger'
  const view = { escrow, viewer, role }
  switch (escrow.phase) {
    case 'draft':
      return role === 'buyer' ? view : null
    case 'open':
    case 'assigned':
    case 'active':
    case 'completed':
      return isParty || escrow.kind === 'task' ? view : null
    case 'cancelled':
    case 'expired':
      return hadPart(view) ? view : null
  }
}

/** Invoices, hashes, proofs and what is said in a dispute. */
export function seesPrivate({ role }: TaskView): boolean {
  return role !== 'stranger'
}

/** The buyer chooses among them; who has applied sees that they have. */
export function applicationsFor({ escrow, viewer, role }: TaskView) {
  return role === 'buyer'
    ? escrow.applications
    : escrow.applications.filter(({ worker }) => worker === viewer)
}

/** An arbiter has none while nobody works: what ends then may never have been published. */
function hadPart({ escrow, viewer, role }: TaskView): boolean {
  if (role === 'arbiter') return escrow.worker !== null
  return role !== 'stranger' || escrow.applications.some(({ worker }) => worker === viewer)
}
