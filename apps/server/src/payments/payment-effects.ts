import { retryDelayMs } from '@holdfast/core/payments/payment-machine'
import type { PaymentEffectKind, PaymentReport, PaymentState } from '@holdfast/core/payments/payment-states'
import type { OpenDatabase } from '../platform/database.ts'
import type { Task } from '../platform/jobs.ts'
import type { Transact } from '../platform/transaction.ts'
import { type AskDeps, lookUpOnNode, payOnNode } from './ask-payer.ts'
import { jobOf, type TellPayment } from './payment-saga.ts'
import { findPayment, lockPayment, postponeLook } from './payment-store.ts'
import { type ResolveDeps, resolveDestination } from './resolve-destination.ts'
import { saysSomethingNew } from './says-something-new.ts'

export type EffectDeps = AskDeps &
  ResolveDeps & {
    database: Pick<OpenDatabase, 'db'>
    transact: Transact
    tell: TellPayment
  }

type OpenPhase = 'resolving' | 'sending' | 'unknown'
type In<P extends OpenPhase> = Extract<PaymentState, { phase: P }>

/** One task per effect: looks whether the effect is still wanted, performs it, reports what became of it. */
export function makePaymentTasks(deps: EffectDeps): Record<`payments:${PaymentEffectKind | 'wake'}`, Task> {
  const task =
    <P extends OpenPhase>(
      wantedIn: readonly P[],
      perform: (state: In<P>, signal: AbortSignal, asked: number) => Promise<PaymentReport | null>,
    ): Task =>
    async (payload, { signal, left }) => {
      const id = String(payload.id)
      const wanted = (state: PaymentState | null): In<P> | null =>
        state !== null && isIn(state, wantedIn) && attemptOf(state) === payload.attempt ? state : null
      // Either may be old by the time the node is asked: it pays one id once, whoever asks and how often.
      const state =
        wanted((left as PaymentState | undefined) ?? null) ?? wanted(await findPayment(deps.database.db, id))
      if (state === null) return
      const report = await perform(state, signal, Number(payload.asked))
      if (report !== null) await deps.tell(id, report, state)
    }

  return {
    'payments:resolve': task(['resolving'], (state) => resolveDestination(deps, state)),
    'payments:pay': task(['sending'], (state, signal) => payOnNode(deps, state, signal)),
    'payments:look-up': task(['sending', 'unknown'], async (state, signal, asked) => {
      const report = await lookUpOnNode(deps, state, signal)
      if (saysSomethingNew(state, report)) return report
      await askAgainLater(deps, state, asked)
      return null
    }),
    'payments:wake': async ({ id }) => {
      await deps.tell(String(id), { kind: 'time-passed' })
    },
  }
}

/** Nothing has happened: the payment stays as it is, and the node is asked again, less and less often. */
async function askAgainLater(
  { transact, clock }: EffectDeps,
  { id, attempt }: In<'sending' | 'unknown'>,
  asked: number,
): Promise<void> {
  await transact(async (tx) => {
    const state = await lockPayment(tx.db, id)
    if (state === null || !isIn(state, ['sending', 'unknown']) || state.attempt !== attempt) return
    const now = clock()
    const at = now + retryDelayMs(attempt + asked)
    await postponeLook(tx.db, id, at)
    tx.enqueue(jobOf(id, { kind: 'look-up', attempt, at }, now, asked + 1))
  })
}

/** TypeScript does not see that all of `In<P>` have it. */
function attemptOf(state: In<OpenPhase>): number {
  return state.attempt
}

function isIn<P extends OpenPhase>(state: PaymentState, phases: readonly P[]): state is In<P> {
  return (phases as readonly string[]).includes(state.phase)
}
