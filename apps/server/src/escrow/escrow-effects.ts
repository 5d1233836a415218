import type { EscrowEffect, EscrowReport, EscrowState } from '@holdfast/core/escrow/escrow-states'
import type { In, MilestoneState, Phase } from '@holdfast/core/escrow/milestone-states'
import { retryDelayMs } from '@holdfast/core/payments/payment-machine'
import { saysSomethingNew } from '../payments/says-something-new.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { JobContext, Task } from '../platform/jobs.ts'
import type { Transact } from '../platform/transaction.ts'
import { jobOf, type TellEscrow } from './escrow-saga.ts'
import type { EscrowSlice } from './escrow-slice.ts'
import { findEscrow, lockEscrow, postponeLook } from './escrow-store.ts'
import { cancelHold, createHold, lookUpHold, settleHold } from './hold-effects.ts'
import { settleOwnHold } from './own-hash.ts'
import { type Current, currentPayment, lookUpNow, type PayDeps, payNow } from './payment-effects.ts'

export type EffectDeps = PayDeps & {
  database: Pick<OpenDatabase, 'db'>
  transact: Transact
  clock: () => number
  tell: TellEscrow
  waitFor: EscrowSlice['waitFor']
}

type Payload = Parameters<Task>[0]

/** Phases that have something done to their hold. */
type Attempted = 'awaiting-funds' | 'closing' | 'refunding' | 'claiming'

/** One task per effect: looks whether the effect is still wanted, performs it, reports what became of it. */
export function makeEscrowTasks(deps: EffectDeps): Record<`escrow:${EscrowEffect['kind']}`, Task> {
  const { database, node, tell } = deps
  const escrowOf = async ({ id }: Payload, { left }: JobContext): Promise<EscrowState | null> =>
    (left as EscrowState | undefined) ?? findEscrow(database.db, String(id))

  const milestoneIn = (
    escrow: EscrowState | null,
    { id, milestone }: Payload,
    { log }: JobContext,
  ): MilestoneState | null => {
    const state = escrow?.milestones[Number(milestone)] ?? null
    if (state === null || state.nodeId === node.nodeId) return state
    // Another node does not know this hold, nor what was paid for it, and would pay again.
    log.warn({ escrow: id, nodeId: state.nodeId }, 'an escrow of another node waits for that node')
    return null
  }
  const milestoneOf = async (payload: Payload, context: JobContext): Promise<MilestoneState | null> =>
    milestoneIn(await escrowOf(payload, context), payload, context)

  const onHold =
    <P extends Attempted>(
      wantedIn: readonly P[],
      perform: (state: In<P>, id: string) => Promise<EscrowReport>,
    ): Task =>
    async (payload, context) => {
      const escrow = await escrowOf(payload, context)
      const state = milestoneIn(escrow, payload, context)
      if (escrow === null || state === null) return
      if (!isIn(state, wantedIn) || attemptOf(state) !== payload.attempt) return
      await tell(escrow.id, await perform(state, escrow.id), escrow)
    }

  const pay: Task = async (payload, context) => {
    const state = await milestoneOf(payload, context)
    const now = wantedPayment(state, payload)
    if (state === null || now === null) return
    const said = await payNow(deps, state, now, () => isHeard(deps, payload))
    if (said !== null) await tell(String(payload.id), said)
  }

  const lookUpPayment: Task = async (payload, context) => {
    const state = await milestoneOf(payload, context)
    const now = wantedPayment(state, payload)
    if (state === null || now === null) return
    const said = await lookUpNow(deps, state, now)
    const isNews = !('report' in said) || saysSomethingNew(now.payment, said.report)
    if (isNews) await tell(String(payload.id), said)
    else await askAgainLater(deps, payload, now)
  }

  return {
    'escrow:create-hold': onHold(['awaiting-funds'], (state) => createHold(node, state)),
    'escrow:cancel-hold': onHold(['closing', 'refunding'], (state) => cancelHold(node, state)),
    'escrow:settle-hold': onHold(['claiming'], (state, id) => {
      const { index: milestone, paymentHash } = state
      return settleHold(node, state, () => settleOwnHold(deps, { id, milestone, paymentHash }))
    }),
    'escrow:look-up-hold': async (payload, context) => {
      const state = await milestoneOf(payload, context)
      if (state === null || !('paymentHash' in state)) return
      const said = await lookUpHold(node, { milestone: state.index, paymentHash: state.paymentHash })
      // An unanswered look is made again by whoever needs it: the events of the node, the sweeper.
      if (said !== null) await tell(String(payload.id), said)
    },
    'escrow:pay-out': pay,
    'escrow:repay': pay,
    'escrow:look-up-payout': lookUpPayment,
    'escrow:look-up-repayment': lookUpPayment,
    'escrow:wake': async ({ id }) => {
      await tell(String(id), { kind: 'time-passed' })
    },
  }
}

/** Whether the payment's end, or that it was given up, is told by others while the job follows it. */
async function isHeard({ waitFor, followMs }: EffectDeps, payload: Payload): Promise<boolean> {
  const isOver = ({ milestones }: EscrowState) =>
    wantedPayment(milestones[Number(payload.milestone)] ?? null, payload) === null
  const seen = await waitFor(String(payload.id), isOver, followMs)
  return seen === null || isOver(seen)
}

/** Nothing has happened: the payment stays as it is, and the node is asked again, less and less often. */
async function askAgainLater(
  { transact, clock }: EffectDeps,
  payload: Payload,
  asked: Current,
): Promise<void> {
  const id = String(payload.id)
  const milestone = Number(payload.milestone)
  const times = Number(payload.asked)
  const { attempt } = asked.payment
  await transact(async (tx) => {
    const state = await lockEscrow(tx.db, id)
    if (wantedPayment(state?.milestones[milestone] ?? null, payload) === null) return
    const now = clock()
    const at = now + retryDelayMs(attempt + times)
    const kind = asked.kind === 'payout' ? 'look-up-payout' : 'look-up-repayment'
    await postponeLook(tx.db, id, { now, at })
    tx.enqueue(jobOf(id, { kind, milestone, attempt, try: asked.try, at }, now, times + 1))
  })
}

/** The milestone's payment, when it is the one and the attempt that the job is about. */
function wantedPayment(state: MilestoneState | null, payload: Payload): Current | null {
  const now = state === null ? null : currentPayment(state)
  return now !== null && now.try === payload.try && now.payment.attempt === payload.attempt ? now : null
}

function isIn<P extends Phase>(state: MilestoneState, phases: readonly P[]): state is In<P> {
  return (phases as readonly string[]).includes(state.phase)
}

/** TypeScript does not see that all of `In<P>` have it. */
function attemptOf(state: In<Attempted>): number {
  return state.attempt
}
