import { type Refusal, refuse } from '../refusals.ts'
import type { EscrowDecision } from './escrow-machine.ts'
import type { CreateRequest, EscrowPlan, EscrowRequest, EscrowState } from './escrow-states.ts'
import type { FeePolicy } from './fees.ts'
import { endUnfunded } from './funding.ts'
import type { MilestoneDecision } from './milestone-decision.ts'
import { takeBack } from './milestone-requests.ts'
import type { Custody, MilestoneState, Moment } from './milestone-states.ts'
import { checkPlan, isText, MAX_MESSAGE_BYTES, termsOf } from './plan.ts'

export const MAX_APPLICATIONS = 200

type Asked<K extends EscrowRequest['kind']> = Extract<EscrowRequest, { kind: K }>

export function create(request: CreateRequest, now: number): EscrowDecision | Refusal {
  const { id, escrowKind: kind, custody, by: buyer, worker, nodeId, policy, plan } = request
  const wrong = checkPlan(plan, policy, buyer, now)
  if (wrong !== null) return wrong
  const needsWorker = kind === 'order'
  const isOther = worker === null || (worker !== buyer && worker !== plan.arbiter)
  // Goods have a known seller, so that their hold can always be locked to the seller's hash.
  if (needsWorker !== (worker !== null) || !isOther)
    return refuse('ESCROW_TERMS_INVALID', { field: 'worker' })
  if (needsWorker && custody !== 'hash-locked') return refuse('ESCROW_TERMS_INVALID', { field: 'custody' })
  const state: EscrowState = {
    v: 1,
    id,
    kind,
    custody,
    buyer,
    worker,
    nodeId,
    policy,
    createdAt: now,
    applications: [],
    ...planned(plan, { custody, nodeId, policy }),
    phase: 'draft',
  }
  return { state, effects: [{ kind: 'wake', at: plan.deadlineAt }] }
}

/** Until somebody relies on it. Whoever applied did so for other terms, and must apply again. */
export function update(state: EscrowState, { plan }: Asked<'update'>, now: number): EscrowDecision | Refusal {
  const isFree = state.phase === 'draft' || (state.phase === 'open' && isUntouched(state))
  if (!isFree) return wrongPhase(state)
  const wrong = checkPlan(plan, state.policy, state.buyer, now)
  if (wrong !== null) return wrong
  if (plan.arbiter !== null && plan.arbiter === state.worker) {
    return refuse('ESCROW_TERMS_INVALID', { field: 'arbiter' })
  }
  return {
    state: { ...state, ...planned(plan, state), applications: [] },
    effects: [{ kind: 'wake', at: plan.deadlineAt }],
  }
}

/** A task opens for applications; the seller of an order is asked for their invoice. */
export function publish(state: EscrowState): EscrowDecision | Refusal {
  if (state.phase !== 'draft') return wrongPhase(state)
  return state.worker === null
    ? { state: { ...state, phase: 'open' }, effects: [] }
    : { state: withWorker(state, state.worker), effects: [] }
}

export function apply(
  state: EscrowState,
  { by, message }: Asked<'apply'>,
  now: number,
): EscrowDecision | Refusal {
  if (state.worker !== null || (state.phase !== 'open' && state.phase !== 'active')) return wrongPhase(state)
  if (!isText(message, 0, MAX_MESSAGE_BYTES))
    return refuse('ESCROW_TEXT_INVALID', { most: MAX_MESSAGE_BYTES })
  if (state.applications.some(({ worker }) => worker === by)) return refuse('ESCROW_ALREADY_APPLIED')
  if (state.applications.length >= MAX_APPLICATIONS) return refuse('ESCROW_APPLICATIONS_FULL')
  const applications = [...state.applications, { worker: by, message, at: now }]
  return { state: { ...state, applications }, effects: [] }
}

/** One of those who applied; another one as long as no money is locked to the first one's hash. */
export function assign(state: EscrowState, { worker }: Asked<'assign'>): EscrowDecision | Refusal {
  if (state.kind === 'order') return wrongPhase(state)
  const mayChange = state.phase === 'assigned' && isUntouched(state)
  const isVacant = state.worker === null && (state.phase === 'open' || state.phase === 'active')
  if (!mayChange && !isVacant) return wrongPhase(state)
  if (!state.applications.some((application) => application.worker === worker)) {
    return refuse('ESCROW_NOT_AN_APPLICANT')
  }
  return { state: withWorker(state, worker), effects: [] }
}

/** What is not funded ends. Money that is locked for a worker is not the buyer's to take back. */
export function cancel(state: EscrowState, moment: Moment): MilestoneDecision[] | Refusal {
  if ('endedAt' in state) return wrongPhase(state)
  const decisions: MilestoneDecision[] = []
  for (const milestone of state.milestones) {
    const taken = state.worker === null ? takeBack(milestone, moment) : null
    decisions.push(taken ?? endUnfunded(milestone, 'cancelled', moment))
  }
  const nothingEnds = decisions.every(({ state: after }, index) => after === state.milestones[index])
  return nothingEnds ? refuse('ESCROW_FUNDED') : decisions
}

function planned(
  plan: EscrowPlan,
  { custody, nodeId, policy }: { custody: Custody; nodeId: string; policy: FeePolicy },
) {
  const { title, description, arbiter, deadlineAt } = plan
  const milestones = plan.milestones.map(
    (milestone, index): MilestoneState => ({
      index,
      custody,
      nodeId,
      terms: termsOf(milestone, policy),
      phase: 'planned',
    }),
  )
  return { title, description, arbiter, deadlineAt, milestones }
}

function withWorker(state: EscrowState, worker: string): EscrowState {
  const milestones = state.milestones.map((milestone): MilestoneState => {
    const waits = milestone.phase === 'planned' || milestone.phase === 'ready-to-fund'
    if (state.custody === 'coordinated' || !waits) return milestone
    const { index, custody, nodeId, terms } = milestone
    return { index, custody, nodeId, terms, phase: 'awaiting-invoice' }
  })
  return state.phase === 'active'
    ? { ...state, worker, milestones }
    : { ...state, worker, milestones, phase: 'assigned' }
}

/** No money is locked or on its way. */
function isUntouched({ milestones }: EscrowState): boolean {
  return milestones.every(
    ({ phase }) => phase === 'planned' || phase === 'awaiting-invoice' || phase === 'ready-to-fund',
  )
}

function wrongPhase({ phase }: EscrowState): Refusal {
  return refuse('ESCROW_WRONG_PHASE', { phase })
}
