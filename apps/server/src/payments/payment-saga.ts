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
import { insertPayment, lockPayment, updatePayment } from './payment-store.ts'

const PAYMENT: Entity<PaymentState, PaymentCommand, PaymentEffect> = {
  stream: 'payment',
  idOf: ({ id }) => id,
  shown: ({ phase }) => ({ phase }),
  encode: encodePayment,
  jobOf,
}

/** Hears a report about a payment: locks it, decides, keeps. Null when there is no such payment. */
export type TellPayment = (id: string, report: PaymentReport) => Promise<PaymentState | null>

export function makeTellPayment(deps: {
  transact: Transact
  clock: () => number
  changes: ChangeSignal
}): TellPayment {
  return async (id, report) => {
    const told = await deps.transact(async (tx) => {
      const before = await lockPayment(tx.db, id)
      if (before === null) return null
      const now = deps.clock()
      const decision = hearPayment(before, report, now)
      if (decision.state !== before || decision.effects.length > 0) updatePayment(tx, decision)
      record(tx, PAYMENT, before, decision, { command: report, actor: actorOf(report), now })
      return decision.state
    })
    deps.changes.notify(id)
    return told
  }
}

/** Keeps a new payment with its first effects, or says why it may not be. */
export async function startPayment(
  tx: Transaction,
  request: PaymentRequest,
  now: number,
): Promise<PaymentState | Refusal> {
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
