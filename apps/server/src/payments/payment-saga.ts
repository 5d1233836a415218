import { hearPayment, type PaymentDecision } from '@holdfast/core/payments/payment-machine'
import type {
  PaymentCommand,
  PaymentEffect,
  PaymentReport,
  PaymentRequest,
  PaymentState,
} from '@holdfast/core/payments/payment-states'
import type { ChangeSignal } from '../platform/change-signal.ts'
import type { NewJob, Transact, Transaction } from '../platform/transaction.ts'
import { encodePayment } from './payment-codec.ts'
import { insertPayment, lockPayment, updatePayment } from './payment-store.ts'

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
      const changed = decision.state !== before
      if (changed || decision.effects.length > 0) await updatePayment(tx.db, decision)
      if (changed) record(tx, decision.state, report, actorOf(report), now)
      enqueue(tx, decision)
      return decision.state
    })
    deps.changes.notify(id)
    return told
  }
}

export async function keepNew(
  tx: Transaction,
  decision: PaymentDecision,
  request: PaymentRequest,
  now: number,
): Promise<void> {
  await insertPayment(tx.db, decision)
  record(tx, decision.state, request, request.owner, now)
  enqueue(tx, decision)
}

/** The entry holds the whole command, so that replaying the entries gives the state again. */
function record(tx: Transaction, state: PaymentState, command: PaymentCommand, actor: string, now: number) {
  tx.append({
    stream: 'payment',
    entityId: state.id,
    kind: `payment.${command.kind}`,
    data: { owner: state.owner, phase: state.phase, command: encodePayment(command) },
    actor,
    at: new Date(now),
  })
}

function enqueue(tx: Transaction, { state, effects }: PaymentDecision): void {
  for (const effect of effects) tx.enqueue(jobOf(state.id, effect))
}

/** `pay` and `look-up` share a key: whoever waits to ask the node is replaced by whoever shall pay, and vice versa. */
function jobOf(id: string, effect: PaymentEffect): NewJob {
  const key = `payment:${id}:${effect.kind === 'look-up' ? 'pay' : effect.kind}`
  const runAt = new Date(effect.at)
  return effect.kind === 'wake'
    ? { task: 'payments:wake', payload: { id }, key, runAt }
    : { task: `payments:${effect.kind}`, payload: { id, attempt: effect.attempt }, key, runAt }
}

function actorOf(report: PaymentReport): string {
  switch (report.kind) {
    case 'resolved':
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
