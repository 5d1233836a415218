import { isRefusal, type Refusal, refuse } from '../refusals.ts'
import { apply, assign, cancel, create, publish, update } from './escrow-requests.ts'
import type { EscrowCommand, EscrowEffect, EscrowPhase, EscrowReport, EscrowState } from './escrow-states.ts'
import { endUnfunded } from './funding.ts'
import { hearMilestone } from './hear-milestone.ts'
import type { MilestoneDecision } from './milestone-decision.ts'
import { hasEnded, milestoneGuardianHeight, wasFunded } from './milestone-facts.ts'
import { decideMilestone } from './milestone-requests.ts'
import type { MilestoneState, Moment } from './milestone-states.ts'
import { authorize } from './roles.ts'

export type EscrowDecision = { readonly state: EscrowState; readonly effects: readonly EscrowEffect[] }

/**
 * The life of an escrow: its parties, and its milestones with their money. A request may be refused; a report never
 * is, and hearing it twice or late changes nothing. The same state object comes back when nothing changed.
 */
export function decideEscrow(
  state: EscrowState | null,
  command: EscrowCommand,
  moment: Moment,
): EscrowDecision | Refusal {
  if (command.kind === 'create')
    return state === null ? create(command, moment.now) : refuse('REQUEST_INVALID')
  if (state === null) return refuse('ESCROW_NOT_FOUND')
  if (!('by' in command)) return hearEscrow(state, command, moment)
  const role = authorize(state, command)
  if (isRefusal(role)) return role
  switch (command.kind) {
    case 'update':
      return update(state, command, moment.now)
    case 'publish':
      return publish(state)
    case 'apply':
      return apply(state, command, moment.now)
    case 'assign':
      return assign(state, command)
    case 'cancel': {
      const decisions = cancel(state, moment)
      return isRefusal(decisions) ? decisions : withMilestones(state, decisions, moment)
    }
    case 'submit-invoice':
    case 'fund':
    case 'submit-proof':
    case 'approve':
    case 'request-revision':
    case 'open-dispute':
    case 'resolve-dispute':
    case 'refund':
    case 'submit-refund-invoice': {
      const milestone = state.milestones[command.milestone]
      if (milestone === undefined) return refuse('ESCROW_NOT_FOUND', { milestone: command.milestone })
      if (command.kind === 'fund') {
        const tooEarly = state.phase === 'draft'
        if (tooEarly || moment.now >= state.deadlineAt)
          return refuse('ESCROW_WRONG_PHASE', { phase: state.phase })
      }
      const decision = decideMilestone(milestone, command, role, moment)
      return isRefusal(decision) ? decision : withMilestone(state, command.milestone, decision, moment)
    }
  }
}

/** `decideEscrow` for what may not be refused. */
export function hearEscrow(state: EscrowState, report: EscrowReport, moment: Moment): EscrowDecision {
  if (report.kind === 'time-passed') return timePassed(state, moment)
  const milestone = state.milestones[report.milestone]
  if (milestone === undefined) return { state, effects: [] }
  return withMilestone(state, report.milestone, hearMilestone(milestone, report, moment), moment)
}

/** Rebuilds an escrow from the commands that its journal entries hold. */
export function replayEscrow(
  history: readonly { readonly command: EscrowCommand; readonly at: Moment }[],
): EscrowState | null {
  return history.reduce<EscrowState | null>((state, { command, at }) => {
    const decision = decideEscrow(state, command, at)
    return isRefusal(decision) ? state : decision.state
  }, null)
}

function timePassed(state: EscrowState, moment: Moment): EscrowDecision {
  const isOver = moment.now >= state.deadlineAt && !('endedAt' in state)
  const decisions = state.milestones.map((milestone) => {
    const ended = isOver ? endUnfunded(milestone, 'expired', moment) : null
    if (ended !== null && ended.state !== milestone) return ended
    return hearMilestone(milestone, { kind: 'time-passed' }, moment)
  })
  return withMilestones(state, decisions, moment)
}

function withMilestone(
  state: EscrowState,
  index: number,
  decision: MilestoneDecision,
  moment: Moment,
): EscrowDecision {
  const decisions = state.milestones.map((milestone, at) =>
    at === index ? decision : { state: milestone, effects: [] },
  )
  return withMilestones(state, decisions, moment)
}

function withMilestones(
  state: EscrowState,
  decisions: readonly MilestoneDecision[],
  moment: Moment,
): EscrowDecision {
  const effects = decisions.flatMap(({ effects: own, state: { index } }) =>
    own.map((effect): EscrowEffect => (effect.kind === 'wake' ? effect : { ...effect, milestone: index })),
  )
  if (decisions.every((decision, index) => decision.state === state.milestones[index]))
    return { state, effects }
  const milestones = decisions.map((decision) => decision.state)
  return { state: { ...state, milestones, ...phaseOf(state, milestones, moment) }, effects }
}

/** What the milestones make of the whole. An end is final, also when a node corrects itself afterwards. */
function phaseOf(state: EscrowState, milestones: readonly MilestoneState[], { now }: Moment): EscrowPhase {
  if ('endedAt' in state) return { phase: state.phase, endedAt: state.endedAt }
  const phases = milestones.map(({ phase }) => phase)
  if (milestones.every(hasEnded)) {
    if (phases.some((phase) => phase === 'released' || phase === 'lost'))
      return { phase: 'completed', endedAt: now }
    const neverFunded = phases.every((phase) => phase === 'expired')
    return { phase: neverFunded ? 'expired' : 'cancelled', endedAt: now }
  }
  return { phase: milestones.some(wasFunded) ? 'active' : state.phase }
}

/**
 * The next height at which the guardian must look at the escrow, or null. The server keeps it in a column, so that a
 * new block wakes only those that it concerns.
 */
export function guardianHeight(state: EscrowState): number | null {
  const heights = state.milestones.map(milestoneGuardianHeight).filter((height) => height !== null)
  return heights.length === 0 ? null : Math.min(...heights)
}
