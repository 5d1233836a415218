import type { Identity } from '../identity/identity.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { makeChangeSignal } from '../platform/change-signal.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import type { Task } from '../platform/jobs.ts'
import type { Transact } from '../platform/transaction.ts'
import { makePaymentTasks, type ResolvePayee } from './payment-effects.ts'
import { makeTellPayment } from './payment-saga.ts'
import { addPaymentRoutes } from './payments.rest.ts'
import { sweepPayments } from './sweep-payments.ts'

export type PaymentsSlice = {
  /** For the worker. */
  readonly tasks: Record<string, Task>
  routes(app: App): void
  /** Goes on with payments whose job was lost; run it at boot and every minute. Answers how many. */
  sweep(): Promise<number>
}

export function makePaymentsSlice(deps: {
  transact: Transact
  database: Pick<OpenDatabase, 'db'>
  identity: Pick<Identity, 'mutate' | 'authenticate'>
  nodes: NodeDirectory
  resolve: ResolvePayee
  clock: () => number
  /** The node is not asked to pay later than this after the request. Default 60 s. */
  deadlineMs?: number
}): PaymentsSlice {
  const { transact, clock } = deps
  const changes = makeChangeSignal()
  const tell = makeTellPayment({ transact, clock, changes })
  return {
    tasks: makePaymentTasks({ ...deps, tell }),
    routes: (app) => addPaymentRoutes(app, { ...deps, changes, deadlineMs: deps.deadlineMs ?? 60_000 }),
    sweep: () => sweepPayments({ database: deps.database, clock, tell }),
  }
}
