import { isRefusal, type Refusal } from '@holdfast/core'
import { decidePayment, hearPayment } from '@holdfast/core/payments/payment-machine'
import type {
  PaymentCommand,
  PaymentEffect,
  PaymentReport,
  PaymentRequest,
  PaymentState,
} from '@holdfast/core/payments/payment-states'
import type { ChangeSignal } from '../platform/change-signal.ts'
import { type Entity, record } from '../platform/entity-loop.ts'
import type { NewJob, Transact, Transaction } from '../platform/transaction.ts'
import { encodePayment } from './payment-codec.ts'
import { insertPayment, isNotAsBelieved, lockPayment, updatePayment } from './payment-store.ts'

const PAYMENT: Entity<PaymentState, PaymentCommand, PaymentEffect> = {
  stream: 'payment',
  idOf: ({ id }) => id,
  shown: ({ phase }) => ({ phase }),
  encode: encodePayment,
  jobOf,
}

/**
 * Hears a report about a payment: locks it, decides, keeps. Null when there is no such payment. `believed` is what the
 * payment was when it was last seen; where it is so still, one round trip does it all.
 */
export type TellPayment = (
  id: string,
  report: PaymentReport,
  believed?: PaymentState,
) => Promise<PaymentState | null>

type TellDeps = { transact: Transact; clock: () => number; changes: ChangeSignal<PaymentState> }

export function makeTellPayment(deps: TellDeps): TellPayment {
  return async (id, report, believed) => {
    const told =
      (believed && (await tellAsBelieved(deps, believed, report))) ?? (await tell(deps, id, report))
    if (told !== null) deps.changes.notify(id, told)
    return told
  }
}

function tell(
  { transact, clock }: TellDeps,
  id: string,
  report: PaymentReport,
): Promise<PaymentState | null> {
  return transact(async (tx) => {
    const before = await lockPayment(tx.db, id)
    if (before === null) return null
    const now = clock()
    const decision = hearPayment(before, report, now)
    if (decision.state !== before || decision.effects.length > 0) updatePayment(tx, decision)
    record(tx, PAYMENT, before, decision, { command: report, actor: actorOf(report), now })
    return decision.state
  })
}

/** Decides on what the payment is believed to be. Null: nothing was kept, and it has to be read. */
async function tellAsBelieved(
  { transact, clock }: TellDeps,
  believed: PaymentState,
  report: PaymentReport,
): Promise<PaymentState | null> {
  const now = clock()
  const decision = hearPayment(believed, report, now)
  // What is believed is checked where it is written.
  if (decision.state === believed) return null
  try {
    await transact(async (tx) => {
      updatePayment(tx, decision, believed)
      record(tx, PAYMENT, believed, decision, { command: report, actor: actorOf(report), now })
    })
    return decision.state
  } catch (error) {
    if (isNotAsBelieved(error)) return null
    throw error
  }
}

/** Keeps a new payment with its first effects, or says why it may not be. */
export function startPayment(tx: Transaction, request: PaymentRequest, now: number): PaymentState | Refusal {
  const decision = decidePayment(null, request, now)
  if (isRefusal(decision)) return decision
  insertPayment(tx, decision)
  record(tx, PAYMENT, null, decision, { command: request, actor: request.owner, now })
  return decision.state
}

/** The job of one effect; `asked` counts the answers since the last that said something new. */
export function jobOf(id: string, effect: PaymentEffect, now: number, asked = 0): NewJob {
  const { kind, at } = effect
  const job = {
    task: `payments:${kind}`,
    key: `payment:${id}:${kind}`,
    // What is due is due by the database's clock, too, even when ours is ahead of it.
    ...(at > now && { runAt: new Date(at) }),
  }
  if (effect.kind === 'wake') return { ...job, payload: { id } }
  return { ...job, payload: { id, attempt: effect.attempt, asked } }
}

function actorOf(report: PaymentReport): string {
  switch (report.kind) {
    case 'resolved':
      return report.payable.kind === 'bolt11' && report.payable.via !== undefined ? report.payable.via : 'dns'
    case 'resolve-failed':
      return 'dns'
    case 'outcome':
    case 'pay-refused':
      return 'node'
    case 'node-unreachable':
    case 'time-passed':
      return 'system'
  }
}
