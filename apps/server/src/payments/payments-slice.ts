import type { PaymentState } from '@holdfast/core/payments/payment-states'
import type { Identity } from '../identity/identity.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { makeChangeSignal } from '../platform/change-signal.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import type { Task } from '../platform/jobs.ts'
import type { Transact } from '../platform/transaction.ts'
import { makePaymentTasks } from './payment-effects.ts'
import { makeTellPayment } from './payment-saga.ts'
import { addPaymentRoutes } from './payments.rest.ts'
import type { InvoiceMaker, NameResolver } from './resolve-destination.ts'
import { reconcilePayments, sweepPayments } from './sweep-payments.ts'

export type PaymentsSlice = {
  /** For the worker. */
  readonly tasks: Record<string, Task>
  routes(app: App): void
  /** Asks the nodes about payments whose job was lost; run it every minute. Answers how many. */
  sweep(): Promise<number>
  /** Has the nodes asked about every payment that has not ended; run it once at boot. Answers how many. */
  reconcile(): Promise<number>
}

export function makePaymentsSlice(deps: {
  transact: Transact
  database: Pick<OpenDatabase, 'db'>
  identity: Pick<Identity, 'mutate' | 'authenticate'>
  nodes: NodeDirectory
  resolver: NameResolver
  addresses: InvoiceMaker
  clock: () => number
  /** Aborted when the server stops. */
  closing?: AbortSignal
  /** How long the node may be asked to pay, and may go on trying. Default 60 s. */
  deadlineMs?: number
  /** How long one job of the worker goes on asking about a pending payment. Default 1.5 s. */
  followMs?: number
}): PaymentsSlice {
  const { transact, database, clock } = deps
  const changes = makeChangeSignal<PaymentState>(deps.closing)
  const tell = makeTellPayment({ transact, clock, changes })
  return {
    tasks: makePaymentTasks({ ...deps, followMs: deps.followMs ?? 1_500, tell }),
    routes: (app) => addPaymentRoutes(app, { ...deps, changes, deadlineMs: deps.deadlineMs ?? 60_000 }),
    sweep: () => sweepPayments({ database, clock, tell }),
    reconcile: () => reconcilePayments({ database, tell }),
  }
}
