import { describe, expect, test } from 'vitest'
import { decideEscrow } from './escrow-machine.ts'
import type { EscrowCommand, EscrowState } from './escrow-states.ts'
import { claimedHash } from './milestone-facts.ts'
import { type HoldSaid, MILESTONE_PHASES, type Moment, type Phase } from './milestone-states.ts'
import {
  accepted,
  ask,
  FAILED,
  FUNDING_MSAT,
  milestoneIn,
  only,
  PAID,
  PAYOUT_MSAT,
  payout,
  reach,
  START,
  seen,
} from './testing/escrow-story.ts'

const MINUTE: Moment = { ...START, now: START.now + 60_000 }
const tell = (state: EscrowState, command: EscrowCommand, at = MINUTE) =>
  accepted(decideEscrow(state, command, at))
const settled: HoldSaid = { state: 'settled', amountMsat: FUNDING_MSAT }
const releasing = reach('releasing')

describe('a claim that the chain did not let the operator keep', () => {
  const lost = { state: 'lost', amountMsat: FUNDING_MSAT } as const

  test('makes a release a loss, also long after its end, and the escrow stays completed', () => {
    const state = tell(reach('released'), seen(lost)).state
    expect(milestoneIn(state, 'lost')).toMatchObject({ heldMsat: FUNDING_MSAT, paidMsat: PAYOUT_MSAT })
    expect(state.phase).toBe('completed')
    expect(tell(state, seen(lost)).state).toBe(state)
  })

  test('is a loss, too, when the payout ends after it was heard, or fails: then the operator owes all the same', () => {
    for (const first of [releasing, tell(releasing, seen(settled)).state]) {
      const unpaid = tell(first, seen(lost)).state
      expect(milestoneIn(unpaid, 'releasing').hold).toBe('lost')
      expect(only(tell(unpaid, payout(PAID)).state).phase).toBe('lost')
      const failed = tell(unpaid, payout(FAILED)).state
      expect(milestoneIn(failed, 'premature')).toMatchObject({ owedMsat: FUNDING_MSAT, claimLost: true })
      expect(only(tell(failed, payout(PAID)).state).phase).toBe('lost')
    }
    const waiting = tell(releasing, payout(FAILED), START).state
    expect(milestoneIn(tell(waiting, seen(lost)).state, 'premature').claimLost).toBe(true)
  })

  test.each<Phase>(['held', 'proof-submitted', 'disputed', 'refunding'])(
    'while %s, it is a premature settlement that the operator bears',
    (phase) => {
      const { state } = tell(reach(phase), seen(lost))
      expect(milestoneIn(state, 'premature')).toMatchObject({ owedMsat: FUNDING_MSAT, claimLost: true })
    },
  )

  test('of a premature settlement takes nothing from the buyer, and stays known to its end', () => {
    const premature = tell(reach('premature'), seen(lost)).state
    expect(tell(premature, seen(lost)).state).toBe(premature)
    const repaying = tell(premature, ask.refundInvoice).state
    expect(milestoneIn(repaying, 'repaying').claimLost).toBe(true)
    const { payee } = milestoneIn(repaying, 'repaying')
    const failed = { kind: 'repayment', milestone: 0, paymentHash: payee.paymentHash, try: 1 } as const
    const waiting = tell(repaying, { ...failed, report: FAILED }).state
    const expired = tell(waiting, { kind: 'time-passed' }, { ...START, now: payee.expiresAt }).state
    expect(milestoneIn(expired, 'premature').claimLost).toBe(true)
    const repaid = milestoneIn(tell(reach('repaid'), seen(lost)).state, 'repaid')
    expect(repaid.claimLost).toBe(true)
  })

  test('is looked for while it may still be lost, and only then', () => {
    const hash = (state: EscrowState) => claimedHash(only(state))
    const phases: Phase[] = ['released', 'premature', 'repaying', 'repaid']
    for (const phase of MILESTONE_PHASES)
      expect([phase, hash(reach(phase)) !== null]).toEqual([phase, phases.includes(phase)])
    for (const phase of phases) expect(hash(tell(reach(phase), seen(lost)).state)).toBeNull()
  })
})
