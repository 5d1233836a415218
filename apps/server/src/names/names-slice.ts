import type { DnsZone } from '@holdfast/core/dns-zone'
import type { Network } from '@holdfast/lightning'
import type { Identity } from '../identity/identity.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { makeChangeSignal } from '../platform/change-signal.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import type { Task } from '../platform/jobs.ts'
import type { Transact } from '../platform/transaction.ts'
import { makeNameTasks } from './name-effects.ts'
import { makeTellName } from './name-saga.ts'
import { addNameRoutes } from './names.rest.ts'
import { sweepNames } from './sweep-names.ts'
import type { ResolveFresh } from './validate-chain.ts'

export type NamesSlice = {
  /** For the worker. */
  readonly tasks: Record<string, Task>
  routes(app: App): void
  /** Goes on with registrations whose job was lost; run it at boot and every minute. Answers how many. */
  sweep(): Promise<number>
}

export function makeNamesSlice(deps: {
  transact: Transact
  database: Pick<OpenDatabase, 'db'>
  identity: Pick<Identity, 'mutate' | 'authenticate'>
  /** By domain, lower case. */
  zones: ReadonlyMap<string, DnsZone>
  nodes: NodeDirectory
  resolveFresh: ResolveFresh
  network: Network
  clock: () => number
  /** Aborted when the server stops. */
  closing?: AbortSignal
  /** A registration that has not ended by then is undone. Default 10 min. */
  deadlineMs?: number
  /** Default 1000. */
  maxNamesPerOwner?: number
}): NamesSlice {
  const { transact, clock } = deps
  const changes = makeChangeSignal()
  const tell = makeTellName({ transact, clock, changes })
  return {
    tasks: makeNameTasks({ ...deps, tell }),
    routes: (app) =>
      addNameRoutes(app, {
        ...deps,
        changes,
        deadlineMs: deps.deadlineMs ?? 10 * 60_000,
        maxNamesPerOwner: deps.maxNamesPerOwner ?? 1_000,
      }),
    sweep: () => sweepNames({ database: deps.database, clock, tell }),
  }
}
