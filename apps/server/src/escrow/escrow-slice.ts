import { randomUUID } from 'node:crypto'
import { isRefusal, type Refusal, refuse } from '@holdfast/core'
import type { EscrowKind, EscrowPlan, EscrowRequest, EscrowState } from '@holdfast/core/escrow/escrow-states'
import { type FeePolicy, type Quote, quote } from '@holdfast/core/escrow/fees'
import type { HoldLimits } from '@holdfast/core/escrow/hold-limits'
import type { Custody, Moment } from '@holdfast/core/escrow/milestone-states'
import type { Msat } from '@holdfast/core/money'
import { makeChangeSignal, waitUntil } from '../platform/change-signal.ts'
import type { OpenDatabase } from '../platform/database.ts'
import { RefusalError } from '../platform/http/problem.ts'
import type { Task } from '../platform/jobs.ts'
import type { Transact, Transaction } from '../platform/transaction.ts'
import { makeBlockClock } from './block-clock.ts'
import { makeEscrowTasks } from './escrow-effects.ts'
import { askEscrow, createEscrow, makeTellEscrow } from './escrow-saga.ts'
import { findEscrow } from './escrow-store.ts'
import { makeFollowClaims } from './follow-claims.ts'
import { type FollowNode, makeFollowNode } from './follow-node.ts'
import { type EscrowFilter, type EscrowPage, listEscrows } from './graphql/list-escrows.ts'
import { guardEscrows, reconcileEscrows, sweepEscrows } from './guard-escrows.ts'
import { isUnreachable } from './hold-effects.ts'
import { type ChainHeight, custodiesOf, type OperatorNode } from './operator-node.ts'
import { expectPayment } from './payment-effects.ts'
import { prepareWish } from './prepare-wish.ts'
import { journalReport, reportPreimage } from './report-preimage.ts'

/** What a party may ask for, as it comes from outside; `by` is the key that signed. */
export type EscrowWish =
  | Exclude<EscrowRequest, { kind: 'create' | 'submit-invoice' | 'submit-refund-invoice' | 'fund' }>
  | InvoiceWish<'submit-invoice'>
  | InvoiceWish<'submit-refund-invoice'>
  | { readonly kind: 'fund'; readonly by: string; readonly milestone: number }

type InvoiceWish<K extends 'submit-invoice' | 'submit-refund-invoice'> = {
  readonly kind: K
  readonly by: string
  readonly milestone: number
  /** BOLT 11. */
  readonly invoice: string
}

export type ReadyRequest = Exclude<EscrowRequest, { kind: 'create' }>

export type NewEscrow = {
  readonly by: string
  readonly kind: EscrowKind
  readonly worker: string | null
  /** Default `hash-locked`. */
  readonly custody?: Custody
  readonly plan: EscrowPlan
}

export type EscrowSlice = {
  /** For the worker. */
  readonly tasks: Record<string, Task>
  /** Reads and asks what the machine must be told with a wish; before the transaction, because it asks the node. */
  prepare(wish: EscrowWish, id: string): Promise<ReadyRequest | Refusal>
  /** The custody labels that the operator's node can give. */
  readonly custodies: readonly Custody[]
  /** Both in the caller's transaction. */
  create(tx: Transaction, wish: NewEscrow): Promise<EscrowState | Refusal>
  ask(tx: Transaction, id: string, request: ReadyRequest): Promise<EscrowState | Refusal>
  /** Before the transaction; the other one is for the journal, in it. */
  reportPreimage(about: { id: string; milestone: number; preimage: string }): Promise<EscrowState | Refusal>
  journalReport(tx: Transaction, about: { id: string; by: string; milestone: number }): void
  find(id: string): Promise<EscrowState | null>
  list(filter: EscrowFilter, page: EscrowPage): Promise<EscrowState[]>
  /** Answers as soon as it is `done`, or with what there is after `waitMs`. */
  waitFor(id: string, done: (state: EscrowState) => boolean, waitMs: number): Promise<EscrowState | null>
  /** The clock, and the height of the chain as it was seen last. Throws NODE_OFFLINE when the node has never said one. */
  moment(): Promise<Moment>
  /** Milliseconds since 1970. */
  clock(): number
  /** What a milestone of an escrow that is created now would cost; one that exists has it in its terms. */
  quote(payoutMsat: Msat): Quote
  /** Hears the node's events; run it for ever, again as soon as it answers. */
  follow: FollowNode
  /** Wakes what a block made due; run it every few seconds. */
  guard(): Promise<number>
  /** Asks once for each block that `guard` has seen, and after a start, what became of claims; run it after that. */
  followClaims(): Promise<void>
  /** Looks at what was silent for too long; run it every minute. */
  sweep(): Promise<number>
  /** Looks at all that has not ended; run it once at boot. */
  reconcile(): Promise<number>
}

export function makeEscrowSlice(deps: {
  transact: Transact
  database: Pick<OpenDatabase, 'db'>
  node: OperatorNode
  height: ChainHeight
  /** Of new escrows; each keeps the one with which it was created. */
  policy: FeePolicy
  /** How many holds may be open at once. */
  limits: HoldLimits
  clock: () => number
  /** How long one job of the worker follows a pending payment. Default 1.5 s. */
  followMs?: number
}): EscrowSlice {
  const { transact, database, node, clock, policy, limits } = deps
  const custodies = custodiesOf(node)
  const blocks = makeBlockClock(deps)
  const changes = makeChangeSignal<EscrowState>()
  const tell = makeTellEscrow({ transact, blocks, node, limits, changes })
  const reconcile = () => reconcileEscrows({ database, tell })
  const moment = () => orOffline(blocks.moment())
  const waitFor: EscrowSlice['waitFor'] = (id, done, waitMs) =>
    waitUntil<EscrowState | null, EscrowState>(
      changes,
      id,
      waitMs,
      async (told) => told ?? findEscrow(database.db, id),
      (seen) => seen === null || done(seen),
    )
  return {
    tasks: makeEscrowTasks({
      transact,
      database,
      node,
      clock,
      tell,
      blocks,
      waitFor,
      followMs: deps.followMs ?? 1_500,
    }),
    custodies,
    async create(tx, { by, kind: escrowKind, worker, custody = 'hash-locked', plan }) {
      if (!custodies.includes(custody))
        return refuse('ESCROW_CUSTODY_UNAVAILABLE', { custodies: custodies.join(', ') })
      const id = randomUUID()
      const { nodeId } = node
      const request = {
        kind: 'create',
        by,
        id,
        escrowKind,
        custody,
        worker,
        nodeId,
        policy,
        plan,
      } as const
      return createEscrow(tx, request, await moment())
    },
    prepare: (wish, id) => prepareWish({ database, node, tell }, wish, id),
    async ask(tx, id, request) {
      const asked = await askEscrow(tx, id, request, { moment: await moment(), limits })
      if (isRefusal(asked) || !('milestone' in request)) return asked
      const milestone = asked.milestones[request.milestone]
      if (milestone !== undefined) expectPayment({ node, blocks }, milestone)
      return asked
    },
    reportPreimage: (about) => reportPreimage({ database, node, tell }, about),
    journalReport: (tx, about) => journalReport(tx, { ...about, now: clock() }),
    find: (id) => findEscrow(database.db, id),
    list: (filter, page) => listEscrows(database.db, filter, page),
    waitFor,
    moment,
    clock,
    quote: (payoutMsat) => quote(payoutMsat, policy),
    follow: makeFollowNode({ database, node, tell, reconcile, clock }),
    guard: () => guardEscrows({ database, tell, blocks }),
    followClaims: makeFollowClaims({ database, node, tell, blocks }),
    sweep: () => sweepEscrows({ database, tell, clock }),
    reconcile,
  }
}

async function orOffline<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    if (isUnreachable(error)) throw new RefusalError(refuse('NODE_OFFLINE'), { cause: error })
    throw error
  }
}
