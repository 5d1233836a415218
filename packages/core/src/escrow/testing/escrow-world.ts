import type { NodeOutcome } from '../../payments/payment-states.ts'
import { isRefusal } from '../../refusals.ts'
import { decideEscrow, type EscrowDecision, hearEscrow } from '../escrow-machine.ts'
import type {
  EscrowCommand,
  EscrowEffect,
  EscrowReport,
  EscrowRequest,
  EscrowState,
} from '../escrow-states.ts'
import type { Custody, HoldSaid, MilestoneState, Moment } from '../milestone-states.ts'
import { payoutOrder } from '../payout.ts'
import { repaymentOrder } from '../repayment.ts'
import { only, START } from './escrow-story.ts'

export type Job = Exclude<EscrowEffect, { kind: 'wake' }>
export type Fault = 'none' | 'before' | 'answer-lost'
export type Delivery = 'now' | 'late' | 'lost' | 'twice'
type Flight = { amountMsat: bigint; endsBy: number; to: 'worker' | 'buyer'; outcome: NodeOutcome }

/**
 * A model of the world around one milestone: a node that keeps its promises (a hash is finished once and for ever, an
 * id is paid at most once, a payout ends before its CLTV cap, the preimage it brings claims the hold in the same
 * moment), and workers that run jobs in any order, die before they report, and report late or twice.
 */
export class World {
  state: EscrowState
  moment: Moment = START
  jobs: EscrowEffect[] = []
  begun: Job[] = []
  late: EscrowReport[] = []
  journal: { command: EscrowCommand; at: Moment }[] = []

  hold: HoldSaid = { state: 'absent' }
  holdEnds = 0
  flights = new Map<string, Flight>()
  workerPaid = 0
  /** Where all the money is, in millisatoshi. */
  money = { buyer: 0n, locked: 0n, operator: 0n, inFlight: 0n, worker: 0n, routers: 0n, peer: 0n }
  /** Nobody can take back what was claimed. */
  private isFinal = false
  /** What the node does not know now, and says so. */
  confused = false
  readonly custody: Custody

  constructor(state: EscrowState, jobs: readonly EscrowEffect[]) {
    this.state = state
    this.custody = state.custody
    this.jobs.push(...jobs)
  }

  get milestone(): MilestoneState {
    return only(this.state)
  }

  ask(request: EscrowRequest): boolean {
    const decision = decideEscrow(this.state, request, this.moment)
    if (isRefusal(decision)) return false
    this.keep(request, decision)
    return true
  }

  hear(report: EscrowReport): void {
    this.keep(report, hearEscrow(this.state, report, this.moment))
  }

  private keep(command: EscrowCommand, { state, effects }: EscrowDecision): void {
    if (state !== this.state) this.journal.push({ command, at: this.moment })
    this.state = state
    this.jobs.push(...effects)
  }

  begin(pick: number): void {
    const [job] = this.jobs.splice(pick % (this.jobs.length || 1), 1)
    if (job === undefined) return
    if (job.kind === 'wake') this.hear({ kind: 'time-passed' })
    else if (this.wants(job)) this.begun.push(job)
  }

  finish(pick: number, fault: Fault, delivery: Delivery): void {
    const [job] = this.begun.splice(pick % (this.begun.length || 1), 1)
    if (job === undefined) return
    const report = this.perform(job, fault)
    if (delivery === 'lost') this.jobs.push(job)
    if (report === null) return
    if (delivery === 'late' || delivery === 'twice') this.late.push(report)
    if (delivery === 'now' || delivery === 'twice') this.hear(report)
  }

  /** As the server's jobs look before they act. */
  private wants(job: Job): boolean {
    const { milestone } = this
    switch (job.kind) {
      case 'create-hold':
        return milestone.phase === 'awaiting-funds' && milestone.attempt === job.attempt
      case 'cancel-hold':
        return (
          (milestone.phase === 'closing' || milestone.phase === 'refunding') &&
          milestone.attempt === job.attempt
        )
      case 'settle-hold':
        return milestone.phase === 'claiming' && milestone.attempt === job.attempt
      case 'look-up-hold':
        return 'paymentHash' in milestone
      case 'pay-out':
      case 'look-up-payout':
        return (
          'payout' in milestone && milestone.tries === job.try && milestone.payout?.attempt === job.attempt
        )
      case 'repay':
      case 'look-up-repayment':
        return (
          milestone.phase === 'repaying' &&
          milestone.tries === job.try &&
          milestone.repayment?.attempt === job.attempt
        )
    }
  }

  private perform(job: Job, fault: Fault): EscrowReport | null {
    switch (job.kind) {
      case 'create-hold':
      case 'cancel-hold':
      case 'settle-hold':
        return this.performOnHold(job, fault)
      case 'look-up-hold':
        return fault === 'none' ? this.holdSeen() : null
      case 'pay-out':
      case 'look-up-payout':
      case 'repay':
      case 'look-up-repayment':
        return this.performPayment(job, fault)
    }
  }

  private performOnHold(
    { kind, attempt }: Extract<Job, { kind: 'create-hold' | 'cancel-hold' | 'settle-hold' }>,
    fault: Fault,
  ): EscrowReport | null {
    const failed: EscrowReport = { kind: 'hold-failed', milestone: 0, effect: kind, attempt }
    if (fault === 'before') return failed
    if (kind === 'create-hold' && this.hold.state === 'absent') this.hold = { state: 'open' }
    if (kind === 'cancel-hold') this.cancelHold()
    if (kind === 'settle-hold') this.claim()
    if (fault === 'answer-lost') return failed
    if (kind !== 'create-hold') return this.holdSeen()
    const { milestone } = this
    if (!('paymentHash' in milestone)) return null
    return { kind: 'hold-created', milestone: 0, paymentHash: milestone.paymentHash, invoice: 'lnbcrt' }
  }

  private cancelHold(): void {
    if (this.payoutMayPay()) throw new Error('a hold was cancelled while a payout was in flight or paid')
    if (this.hold.state === 'held') this.giveBack()
    else if (this.hold.state === 'open' || this.hold.state === 'absent') this.hold = { state: 'cancelled' }
  }

  private payoutMayPay(): boolean {
    return [...this.flights.values()].some(({ to, outcome }) => to === 'worker' && outcome.state !== 'failed')
  }

  private performPayment(job: Extract<Job, { try: number }>, fault: Fault): EscrowReport | null {
    const { milestone } = this
    const isPayout = job.kind === 'pay-out' || job.kind === 'look-up-payout'
    const payment =
      'payout' in milestone ? milestone.payout : 'repayment' in milestone ? milestone.repayment : null
    if (payment === null || !('payee' in milestone) || milestone.payee === null) return null
    const about = {
      kind: isPayout ? 'payout' : 'repayment',
      milestone: 0,
      paymentHash: milestone.payee.paymentHash,
      try: job.try,
    } as const
    const order = isPayout ? payoutOrder(milestone, this.moment) : repaymentOrder(milestone, this.moment)
    const pays = (job.kind === 'pay-out' || job.kind === 'repay') && order !== null
    const unreachable = {
      kind: 'node-unreachable',
      attempt: job.attempt,
      effect: pays ? 'pay' : 'look-up',
      code: 'NODE_OFFLINE',
    } as const
    if (fault === 'before') return { ...about, report: unreachable }
    if (pays && isPayout && this.hold.state !== 'held') return this.holdSeen()
    if (pays) this.pay(order, isPayout ? 'worker' : 'buyer')
    if (fault === 'answer-lost') return { ...about, report: unreachable }
    const outcome = this.says(payment.nodePaymentId)
    return { ...about, report: { kind: 'outcome', attempt: job.attempt, outcome } }
  }

  private pay(
    order: { paymentId: string; amountMsat: bigint; maxFeeMsat: bigint; maxTotalCltvExpiryDelta?: number },
    to: Flight['to'],
  ): void {
    if (this.flights.has(order.paymentId)) return
    const alive = [...this.flights.values()].filter((flight) => flight.to === to)
    if (alive.some(({ outcome }) => outcome.state !== 'failed')) throw new Error(`${to} would be paid twice`)
    const amountMsat = order.amountMsat + order.maxFeeMsat
    this.money.operator -= amountMsat
    this.money.inFlight += amountMsat
    const endsBy = this.moment.height + (order.maxTotalCltvExpiryDelta ?? 1_000)
    this.flights.set(order.paymentId, {
      amountMsat,
      endsBy,
      to,
      outcome: { state: 'pending', paymentHash: null },
    })
  }

  /** A node that has never heard of a payment knows that it has not. */
  private says(id: string): NodeOutcome {
    const flight = this.flights.get(id)
    if (flight === undefined) return { state: 'absent' }
    return this.confused ? { state: 'unknown' } : flight.outcome
  }

  /** The payee takes the payment that is in flight, or it comes back. */
  land(succeeds: boolean): void {
    for (const flight of this.flights.values()) {
      if (flight.outcome.state !== 'pending') continue
      this.money.inFlight -= flight.amountMsat
      if (!succeeds) {
        this.money.operator += flight.amountMsat
        flight.outcome = { state: 'failed', paymentHash: null, reason: 'no-route' }
        continue
      }
      const fee = 1_000n
      const amountMsat = this.amountOf(flight)
      this.money[flight.to] += amountMsat
      this.money.routers += fee
      this.money.operator += flight.amountMsat - amountMsat - fee
      flight.outcome = { state: 'succeeded', paymentHash: 'hash', amountMsat, feeMsat: fee }
      if (flight.to === 'worker') {
        this.workerPaid++
        if (this.custody === 'hash-locked') this.claim()
      }
    }
  }

  private amountOf({ to }: Flight): bigint {
    const { milestone } = this
    return to === 'buyer' && 'owedMsat' in milestone ? milestone.owedMsat : milestone.terms.payoutMsat
  }

  buyerPays(amountMsat: bigint, claimBlocks: number): void {
    if (this.hold.state !== 'open') return
    this.money.buyer -= amountMsat
    this.money.locked += amountMsat
    this.hold = { state: 'held', amountMsat, claimDeadlineHeight: this.moment.height + claimBlocks }
  }

  /** Whoever has the preimage gives it to the node. */
  claim(): void {
    if (this.hold.state !== 'held') return
    const { amountMsat } = this.hold
    this.money.locked -= amountMsat
    this.money.operator += amountMsat
    this.holdEnds++
    this.hold = { state: 'settled', amountMsat }
  }

  /** The channel's peer lets go of what was claimed; or it was silent, and takes it back on the chain. */
  endClaim(isLost: boolean): void {
    if (this.hold.state !== 'settled' || this.isFinal) return
    this.isFinal = true
    if (!isLost) return
    const { amountMsat } = this.hold
    this.money.operator -= amountMsat
    this.money.peer += amountMsat
    this.hold = { state: 'lost', amountMsat }
  }

  private giveBack(): void {
    this.money.buyer += this.money.locked
    this.money.locked = 0n
    this.holdEnds++
    this.hold = { state: 'cancelled' }
  }

  holdSeen(): EscrowReport | null {
    const { milestone, hold: said } = this
    if (!('paymentHash' in milestone)) return null
    const report = { kind: 'hold-seen', milestone: 0, paymentHash: milestone.paymentHash, said } as const
    // At some heights others have taken all the room.
    return said.state === 'held' && this.moment.height % 4 === 3 ? { ...report, noRoom: true } : report
  }

  /** Blocks at their usual pace. A payout ends by its CLTV cap, and the node fails a hold back at its deadline. */
  pass(ms: number): void {
    // What has begun is with the node before the machine stops waiting for it.
    while (this.begun.length > 0) this.finish(0, 'none', 'late')
    const now = this.moment.now + ms
    const height = START.height + Math.floor((now - START.now) / 600_000)
    this.moment = { now, height }
    if (
      [...this.flights.values()].some(
        ({ endsBy, outcome }) => outcome.state === 'pending' && endsBy <= height,
      )
    ) {
      this.land(height % 2 === 0)
    }
    if (this.hold.state === 'held' && height >= this.hold.claimDeadlineHeight) this.giveBack()
  }

  total(): bigint {
    return Object.values(this.money).reduce((sum, amount) => sum + amount, 0n)
  }
}
