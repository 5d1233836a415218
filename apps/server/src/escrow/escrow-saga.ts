import { isRefusal, type Refusal, refuse } from '@holdfast/core'
import { decideEscrow, type EscrowDecision, hearEscrow } from '@holdfast/core/escrow/escrow-machine'
import type {
  CreateRequest,
  EscrowCommand,
  EscrowEffect,
  EscrowReport,
  EscrowRequest,
  EscrowState,
} from '@holdfast/core/escrow/escrow-states'
import { checkRoom, type HoldLimits, lacksRoom } from '@holdfast/core/escrow/hold-limits'
import type { Moment } from '@holdfast/core/escrow/milestone-states'
import type { Msat } from '@holdfast/core/money'
import type { ChangeSignal } from '../platform/change-signal.ts'
import { type Cause, type Entity, record } from '../platform/entity-loop.ts'
import type { NewJob, Transact, Transaction } from '../platform/transaction.ts'
import { within } from '../platform/within.ts'
import type { BlockClock } from './block-clock.ts'
import { encodeEscrow } from './escrow-codec.ts'
import {
  insertEscrow,
  isNotAsBelieved,
  lockEscrow,
  lockRoom,
  postponeLook,
  type TakenRoom,
  takeHash,
  updateEscrow,
} from './escrow-store.ts'
import { NODE_TIMEOUT_MS, type OperatorNode } from './operator-node.ts'

const ESCROW: Entity<EscrowState, EscrowCommand, EscrowEffect> = {
  stream: 'escrow',
  idOf: ({ id }) => id,
  shown: ({ phase }) => ({ phase }),
  encode: encodeEscrow,
  jobOf,
}

/**
 * Hears reports about an escrow, one after the other: locks it, decides, keeps. Null when there is no such escrow. Of
 * reports that money has arrived only one at a time: whether there is room is asked of what was kept. `believed` is what
 * the escrow was when it was last seen; where it is so still, it need be neither locked nor read before.
 */
export type TellEscrow = (
  id: string,
  reports: EscrowReport | readonly EscrowReport[],
  believed?: EscrowState,
) => Promise<EscrowState | null>

type TellDeps = {
  transact: Transact
  blocks: Pick<BlockClock, 'moment'>
  node: Pick<OperatorNode, 'funds'>
  limits: HoldLimits
  changes: ChangeSignal<EscrowState>
}

export function makeTellEscrow(deps: TellDeps): TellEscrow {
  return async (id, said, believed) => {
    const reports = Array.isArray(said) ? said : [said]
    const moment = await deps.blocks.moment()
    const sendableMsat = reports.some(saysHeld) ? await sendable(deps.node) : 0n
    const heard = { reports, moment, sendableMsat, limits: deps.limits }
    const told = (believed && (await tellAsBelieved(deps, believed, heard))) ?? (await tell(deps, id, heard))
    if (told !== null) deps.changes.notify(id, told)
    return told
  }
}

/** What is said of an escrow, when, and what decides whether there is room for money that has arrived. */
type Said = {
  readonly reports: readonly EscrowReport[]
  readonly moment: Moment
  readonly sendableMsat: Msat
  readonly limits: HoldLimits
}

async function tell({ transact }: TellDeps, id: string, said: Said): Promise<EscrowState | null> {
  const { reports, moment } = said
  return transact(async (tx) => {
    const before = await lockEscrow(tx.db, id)
    if (before === null) return null
    const heard = await hearEach(tx, before, said)
    if (heard.state !== before || heard.effects.length > 0) keep(tx, heard, moment)
    // Only who looked at everything may say that nothing is due: an old answer heard again knows of no wake.
    else if (reports.some(({ kind }) => kind === 'time-passed')) await postponeLook(tx.db, id, moment)
    return heard.state
  })
}

/** Decides on what the escrow is believed to be. Null: nothing was kept, and it has to be read. */
async function tellAsBelieved(
  { transact }: TellDeps,
  believed: EscrowState,
  said: Said,
): Promise<EscrowState | null> {
  try {
    return await transact(async (tx) => {
      const heard = await hearEach(tx, believed, said)
      // What is believed is checked where it is written.
      if (heard.state === believed) return null
      keep(tx, heard, said.moment, believed)
      return heard.state
    })
  } catch (error) {
    if (isNotAsBelieved(error)) return null
    throw error
  }
}

/** One report, what it was about, and what was decided. */
type Step = {
  readonly before: EscrowState
  readonly report: EscrowReport
  readonly decision: EscrowDecision
}
type Heard = EscrowDecision & { readonly steps: readonly Step[] }

/** Decides about one report after the other; keeps nothing. */
async function hearEach(
  tx: Transaction,
  before: EscrowState,
  { reports, moment, ...room }: Said,
): Promise<Heard> {
  let state = before
  const steps: Step[] = []
  for (const seen of reports) {
    const isFull = saysHeld(seen) && (await isTooMuch(tx, state, seen, room))
    const report: EscrowReport = isFull ? { ...seen, noRoom: true } : seen
    const decision = hearEscrow(state, report, moment)
    steps.push({ before: state, report, decision })
    state = decision.state
  }
  return { state, effects: steps.flatMap(({ decision }) => decision.effects), steps }
}

function keep(tx: Transaction, heard: Heard, moment: Moment, believed?: EscrowState): void {
  for (const { before, report, decision } of heard.steps)
    record(tx, ESCROW, before, decision, causeOf(report, actorOf(report), moment), () => heard.state)
  updateEscrow(tx, heard, moment.now, believed)
}

type HoldSeen = Extract<EscrowReport, { kind: 'hold-seen' }>

function saysHeld(report: EscrowReport): report is HoldSeen {
  return report.kind === 'hold-seen' && report.said.state === 'held'
}

async function sendable(node: Pick<OperatorNode, 'funds'>): Promise<Msat> {
  return (await within(NODE_TIMEOUT_MS, node.funds.balance())).sendableMsat
}

/** Whether money that has just arrived finds no room. Whoever pays first has it: nothing is kept for who has not paid. */
async function isTooMuch(
  tx: Transaction,
  { buyer, milestones }: EscrowState,
  { milestone: index, paymentHash }: HoldSeen,
  { sendableMsat, limits }: Pick<Said, 'sendableMsat' | 'limits'>,
): Promise<boolean> {
  const milestone = milestones[index]
  if (milestone?.phase !== 'awaiting-funds' || milestone.paymentHash !== paymentHash) return false
  const { committedMsat, open } = await lockRoom(tx.db, buyer)
  return lacksRoom(milestone, { spendableMsat: sendableMsat - committedMsat, taken: open.ofAll }, limits)
}

/** Keeps a new escrow, or says why it may not be; all in the caller's transaction. */
export async function createEscrow(
  tx: Transaction,
  request: CreateRequest,
  moment: Moment,
): Promise<EscrowState | Refusal> {
  const decision = decideEscrow(null, request, moment)
  if (isRefusal(decision)) return decision
  insertEscrow(tx, decision, moment.now)
  record(tx, ESCROW, null, decision, causeOf(request, request.by, moment))
  return decision.state
}

/** Does what a party asks for, or says why not; all in the caller's transaction. */
export async function askEscrow(
  tx: Transaction,
  id: string,
  request: Exclude<EscrowRequest, { kind: 'create' }>,
  { moment, limits }: { moment: Moment; limits: HoldLimits },
): Promise<EscrowState | Refusal> {
  const before = await lockEscrow(tx.db, id)
  if (before === null) return refuse('ESCROW_NOT_FOUND')
  const room = request.kind === 'fund' ? await lockRoom(tx.db, before.buyer) : null
  const decision = decideEscrow(before, lessCommitted(request, room), moment)
  if (isRefusal(decision)) return decision
  const full = room === null ? null : checkRoom(room.open, limits)
  if (full !== null) return full
  const hash = hashTakenBy(request)
  if (hash !== null && !(await takeHash(tx.db, { ...hash, escrowId: id, now: moment.now }))) {
    return refuse('ESCROW_INVOICE_HASH_USED')
  }
  updateEscrow(tx, decision, moment.now)
  record(tx, ESCROW, before, decision, causeOf(request, request.by, moment))
  return decision.state
}

/** What the node could send, less what it will have to send for those who were first. */
function lessCommitted<R extends EscrowRequest>(request: R, room: TakenRoom | null): R {
  if (request.kind !== 'fund' || room === null) return request
  return { ...request, spendableMsat: request.spendableMsat - room.committedMsat }
}

/** The payment hash that a request brings into an escrow. */
function hashTakenBy(request: EscrowRequest): { paymentHash: string; milestone: number } | null {
  switch (request.kind) {
    case 'submit-invoice':
    case 'submit-refund-invoice':
      return { paymentHash: request.invoice.paymentHash, milestone: request.milestone }
    case 'fund':
      return request.paymentHash === null
        ? null
        : { paymentHash: request.paymentHash, milestone: request.milestone }
    case 'create':
    case 'update':
    case 'publish':
    case 'apply':
    case 'assign':
    case 'cancel':
    case 'submit-proof':
    case 'approve':
    case 'request-revision':
    case 'open-dispute':
    case 'resolve-dispute':
    case 'refund':
      return null
  }
}

/**
 * The job of one effect; `asked` counts the answers since the last that said something new. Looking a hold up has no
 * attempt: it changes nothing.
 */
export function jobOf(id: string, effect: EscrowEffect, now: number, asked = 0): NewJob {
  const { kind, at } = effect
  const due = at > now && { runAt: new Date(at) }
  const task = `escrow:${kind}`
  // A wake replaces no other: several milestones have one each, and each its own moment.
  if (effect.kind === 'wake') return { task, key: `escrow:${id}:wake:${at}`, payload: { id }, ...due }
  const { milestone } = effect
  const key = `escrow:${id}:${milestone}:${kind}`
  const which = { id, milestone, asked }
  if (effect.kind === 'look-up-hold') return { task, key, payload: which, ...due }
  const payload = { ...which, attempt: effect.attempt, ...('try' in effect && { try: effect.try }) }
  return { task, key, payload, ...due }
}

/** The height belongs to the moment, so that replaying decides as it was decided. */
function causeOf(command: EscrowCommand, actor: string, { now, height }: Moment): Cause<EscrowCommand> {
  return { command, actor, now, also: { height } }
}

function actorOf(report: EscrowReport): string {
  switch (report.kind) {
    case 'hold-created':
    case 'hold-seen':
    case 'payout':
    case 'repayment':
      return 'node'
    case 'hold-failed':
    case 'time-passed':
      return 'system'
  }
}
