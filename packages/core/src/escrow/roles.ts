import { type Refusal, refuse } from '../refusals.ts'
import type { EscrowRequest, EscrowState } from './escrow-states.ts'

/** Every key plays one role in an escrow: buyer, worker and arbiter are three different keys. */
export type Role = 'buyer' | 'worker' | 'arbiter' | 'operator' | 'stranger'

/** How the operator's own commands are signed in the journal; no public key looks like it. */
export const OPERATOR = 'operator'

/** Reporting a preimage moves no state by itself: the node claims with it, and the machine believes the node. */
type Authorized = Exclude<EscrowRequest['kind'], 'create'> | 'report-preimage'

/**
 * Who may ask for what: the only place that says so. Buyer or worker together with the operator's node can move money,
 * the arbiter in a dispute; the operator alone can only refund.
 */
const MAY: Record<Authorized, readonly Role[]> = {
  update: ['buyer'],
  publish: ['buyer'],
  apply: ['stranger'],
  assign: ['buyer'],
  cancel: ['buyer', 'operator'],
  'submit-invoice': ['worker'],
  fund: ['buyer'],
  'submit-proof': ['worker'],
  approve: ['buyer'],
  'request-revision': ['buyer'],
  'open-dispute': ['buyer', 'worker'],
  'resolve-dispute': ['arbiter'],
  refund: ['buyer', 'worker', 'operator'],
  'submit-refund-invoice': ['buyer'],
  'report-preimage': ['buyer'],
}

export function roleOf(escrow: Pick<EscrowState, 'buyer' | 'worker' | 'arbiter'>, by: string): Role {
  if (by === OPERATOR) return 'operator'
  if (by === escrow.buyer) return 'buyer'
  if (by === escrow.worker) return 'worker'
  if (by === escrow.arbiter) return 'arbiter'
  return 'stranger'
}

/** The role in which the request may be made, or the refusal. */
export function authorize(
  escrow: Pick<EscrowState, 'buyer' | 'worker' | 'arbiter'>,
  request: { readonly kind: Authorized; readonly by: string },
): Role | Refusal {
  const role = roleOf(escrow, request.by)
  return MAY[request.kind].includes(role) ? role : refuse('ESCROW_WRONG_PARTY', { role })
}
