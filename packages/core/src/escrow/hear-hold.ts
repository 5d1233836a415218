import type { Msat } from '../money.ts'
import { accept, close, closed, createFailed } from './funding.ts'
import {
  type MilestoneDecision,
  paid,
  premature,
  refunded,
  retryDelayMs,
  unchanged,
} from './milestone-decision.ts'
import type { HoldSaid, In, MilestoneReport, MilestoneState, Moment } from './milestone-states.ts'
import { holdSeenWhilePaying } from './payout.ts'

type WithHash = Extract<MilestoneState, { paymentHash: string }>

/** What the node says of the hold, asked or not. */
export function holdSeen(
  state: WithHash,
  { said, noRoom }: Extract<MilestoneReport, { kind: 'hold-seen' }>,
  moment: Moment,
): MilestoneDecision {
  switch (state.phase) {
    case 'awaiting-funds':
      if (said.state === 'held')
        return noRoom ? close(state, 'unfunded', moment) : accept(state, said, moment)
      if (said.state === 'cancelled') return closed(state, 'unfunded', moment)
      if (wasClaimed(said)) return premature(state, claimOf(said), moment)
      // The node has lost what it had made; making it twice is making it once.
      return said.state === 'absent' && state.fundingInvoice !== null
        ? { state, effects: [{ kind: 'create-hold', attempt: state.attempt, at: moment.now }] }
        : unchanged(state)
    case 'closing':
      if (said.state === 'cancelled') return closed(state, state.next, moment)
      return wasClaimed(said) ? premature(state, claimOf(said), moment) : unchanged(state)
    case 'held':
    case 'proof-submitted':
    case 'disputed':
      if (said.state === 'cancelled') return refunded(state, 'hold-ended', moment)
      return wasClaimed(said) ? premature(state, claimOf(said, state), moment) : unchanged(state)
    case 'releasing':
    case 'payout-unknown':
      return holdSeenWhilePaying(state, said, moment)
    case 'claiming':
      if (said.state === 'settled') return paid(state, state, 'claimed', moment)
      if (said.state === 'cancelled') return paid(state, state, 'gone', moment)
      if (said.state === 'lost') return paid(state, state, 'lost', moment)
      return { state, effects: [lookAgain(state, moment)] }
    case 'refunding':
      if (said.state === 'cancelled') return refunded(state, state.cause, moment)
      return wasClaimed(said) ? premature(state, claimOf(said, state), moment) : unchanged(state)
    case 'released':
      return said.state === 'lost' ? paid(state, state, 'lost', moment) : unchanged(state)
    case 'premature':
    case 'repaying':
    case 'repaid':
      return said.state === 'lost' && !state.claimLost
        ? { state: { ...state, claimLost: true }, effects: [] }
        : unchanged(state)
    case 'refunded':
    case 'lost':
      return unchanged(state)
  }
}

type Claim = Extract<HoldSaid, { state: 'settling' | 'settled' | 'lost' }>

function wasClaimed(said: HoldSaid): said is Claim {
  return said.state === 'settling' || said.state === 'settled' || said.state === 'lost'
}

/** What was locked is what is owed, where that is known. */
function claimOf(said: Claim, { heldMsat }: { readonly heldMsat?: Msat } = {}) {
  return { amountMsat: heldMsat ?? said.amountMsat, isLost: said.state === 'lost' }
}

/** An HTLC that is claimed on chain takes hours; the longer it took, the longer until we look again. */
function lookAgain(state: In<'claiming'>, { now }: Moment) {
  const waited = Math.max(now - state.since, 0)
  return { kind: 'look-up-hold', at: now + Math.min(Math.max(waited, 50), 60_000) } as const
}

/** An effect on the hold failed; a report of an earlier attempt comes late and says nothing. */
export function holdFailed(
  state: MilestoneState,
  { effect, attempt }: Extract<MilestoneReport, { kind: 'hold-failed' }>,
  moment: Moment,
): MilestoneDecision {
  if (!('attempt' in state) || state.attempt !== attempt) return unchanged(state)
  switch (state.phase) {
    case 'awaiting-funds':
      return effect === 'create-hold' ? createFailed(state, moment) : unchanged(state)
    case 'closing':
    case 'refunding':
      return effect === 'cancel-hold' ? again(state, effect, moment) : unchanged(state)
    case 'claiming':
      return effect === 'settle-hold' ? again(state, effect, moment) : unchanged(state)
  }
}

function again(
  state: In<'closing' | 'refunding' | 'claiming'>,
  effect: 'cancel-hold' | 'settle-hold',
  { now }: Moment,
): MilestoneDecision {
  const attempt = state.attempt + 1
  return {
    state: { ...state, attempt },
    effects: [{ kind: effect, attempt, at: now + retryDelayMs(state.attempt) }],
  }
}
