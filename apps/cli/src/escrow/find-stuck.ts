import { claimedHash, standingOf } from '@holdfast/core/escrow/milestone-facts'
import type { MilestoneState } from '@holdfast/core/escrow/milestone-states'
import type { EscrowRow } from './read-escrows.ts'

/** Why somebody should look; the runbook has a section for each. */
export type StuckReason =
  | 'near-deadline'
  | 'payout-unknown'
  | 'silent'
  | 'slow-end'
  | 'open-claim'
  | 'owed'
  | 'dead-letter'

export type Stuck = {
  readonly reason: StuckReason
  /** Null: a job that names none. */
  readonly escrow: string | null
  readonly milestone: number | null
  readonly phase: string | null
  /** What is known. */
  readonly detail: string
  /** Blocks until the operator's node fails the hold back by itself; null: unknown, or nothing is held. */
  readonly blocksLeft: number | null
}

export type DeadLetter = {
  readonly jobId: string
  readonly task: string
  readonly escrow: string | null
  readonly milestone: number | null
  readonly attempts: number
  readonly failedAt: number
  readonly error: string
}

export type StuckQuestion = {
  readonly now: number
  /** Null: nobody knows; then no deadline is near. */
  readonly height: number | null
  /** A hold with so few blocks left is near its end. */
  readonly withinBlocks: number
}

/** The sweeper looks every minute: what it missed twice is silent. */
const SILENT_MS = 2 * 60_000
/** What the node should do at once took so long. */
const SLOW_MS = 10 * 60_000
/** A peer that is there lets go of an HTLC at once; the server asks once for each block. */
const OPEN_CLAIM_MS = 2 * 60 * 60_000

/** What of one escrow needs a person, most urgent first. */
export function findStuck(
  { state, openClaims, lookAt }: EscrowRow & { readonly lookAt: Date | null },
  question: StuckQuestion,
): Stuck[] {
  const { now } = question
  const found = state.milestones.flatMap((milestone) => [
    ...stuckMilestone(state.id, milestone, question),
    ...openClaim(state.id, milestone, openClaims, now),
  ])
  const silentMs = lookAt === null ? 0 : now - lookAt.getTime()
  if (silentMs > SILENT_MS)
    found.push({
      reason: 'silent',
      escrow: state.id,
      milestone: null,
      phase: state.phase,
      detail: `nothing was heard of it for ${minutes(silentMs)} after it was due`,
      blocksLeft: null,
    })
  return found
}

function stuckMilestone(
  escrow: string,
  milestone: MilestoneState,
  { now, height, withinBlocks }: StuckQuestion,
): Stuck[] {
  const { index, phase } = milestone
  const deadline = 'schedule' in milestone ? milestone.schedule.deadlineHeight : null
  const blocksLeft = deadline === null || height === null ? null : deadline - height
  const found: Stuck[] = []
  const say = (reason: StuckReason, detail: string) =>
    found.push({ reason, escrow, milestone: index, phase, detail, blocksLeft })
  const standing = standingOf(milestone)
  if (blocksLeft !== null && blocksLeft <= withinBlocks)
    say('near-deadline', `${blocksLeft} blocks until the hold ends at ${deadline}`)
  if (phase === 'payout-unknown')
    say('payout-unknown', 'nobody can say whether the worker was paid; it is neither paid again nor refunded')
  if (phase === 'repaying' && milestone.repayment?.phase === 'unknown')
    say('payout-unknown', 'nobody can say whether the buyer was repaid; it is not paid again')
  else if (standing === 'owed')
    say('owed', `${'owedMsat' in milestone ? milestone.owedMsat : 0n} msat are owed to the buyer`)
  if (phase === 'claiming' && now - milestone.since > SLOW_MS)
    say('slow-end', `the worker is paid, and the claim is awaited for ${minutes(now - milestone.since)}`)
  if ((phase === 'refunding' || phase === 'closing') && milestone.attempt > 3)
    say('slow-end', `the node was asked ${milestone.attempt} times to let go of the hold`)
  return found
}

/** A peer that does not answer; its channel is closed in time, and then the chain decides. */
function openClaim(
  escrow: string,
  milestone: MilestoneState,
  openClaims: readonly string[],
  now: number,
): Stuck[] {
  const hash = claimedHash(milestone)
  if (hash === null || !openClaims.includes(hash)) return []
  const { index, phase } = milestone
  const claimedAt = 'since' in milestone ? milestone.since : 'endedAt' in milestone ? milestone.endedAt : now
  const openMs = now - claimedAt
  if (openMs <= OPEN_CLAIM_MS) return []
  const detail = `the channel’s peer has not let go of what was claimed ${minutes(openMs)} ago`
  return [{ reason: 'open-claim', escrow, milestone: index, phase, detail, blocksLeft: null }]
}

export function stuckJob(letter: DeadLetter): Stuck {
  const { escrow, milestone, task, jobId, attempts, error } = letter
  const [firstLine = ''] = error.split('\n')
  return {
    reason: 'dead-letter',
    escrow,
    milestone,
    phase: null,
    detail: `job ${jobId}, ${task}, failed ${attempts} times: ${firstLine.slice(0, 200)}`,
    blocksLeft: null,
  }
}

/** Fewest blocks left first; then in the order in which waiting costs most. */
export function byUrgency(a: Stuck, b: Stuck): number {
  const blocks = (a.blocksLeft ?? Number.MAX_SAFE_INTEGER) - (b.blocksLeft ?? Number.MAX_SAFE_INTEGER)
  return blocks || ORDER.indexOf(a.reason) - ORDER.indexOf(b.reason)
}

const ORDER: readonly StuckReason[] = [
  'near-deadline',
  'payout-unknown',
  'slow-end',
  'open-claim',
  'owed',
  'dead-letter',
  'silent',
]

/** What to do next, in a line; `docs/runbooks/stuck-holds.md` has the rest. */
export const NEXT_STEP: Readonly<Record<StuckReason, string>> = {
  'near-deadline': 'see that the node is online and reaches its chain; the guardian must end the hold before',
  'payout-unknown': 'bring the node back; it alone can say. Never pay or refund by hand',
  'slow-end': 'see that the node is online; if the channel is closing, the chain decides',
  'open-claim': 'see that the channel’s peer is connected; else the node closes the channel in time',
  owed: 'ask the buyer for an invoice of the amount; a repayment that goes on needs only the node',
  'dead-letter': 'mend what the error names; the sweeper or a restart enqueues it again',
  silent: 'see that the server and its worker run; a restart looks at everything again',
}

function minutes(ms: number): string {
  const whole = Math.floor(ms / 60_000)
  return whole < 120 ? `${whole} min` : `${Math.floor(whole / 60)} h`
}
