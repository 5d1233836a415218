import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import type { In } from '@holdfast/core/escrow/milestone-states'
import type { LdkNode } from '@holdfast/lightning/ldk'
import { decodeInvoice } from '@holdfast/protocols/bolt11'
import { askServer, type EscrowDoor, type Mutation, type MutationAnswer, type Party } from './escrow-door.ts'
import type { Deed, StoryKind } from './escrow-steps.ts'

/** A life of the server as the parties see it, and their wallets, which live on when it dies. */
export type EscrowLife = EscrowDoor & {
  readonly buyer: LdkNode
  readonly worker: LdkNode
  /** Nostr public key. */
  readonly workersKey: string
  /** What stands in the table. */
  find(title: string): Promise<EscrowState | null>
  /** Hears what the parties do besides asking the server, and when they ask for a claim. */
  done(deed: Deed, title: string): void
}

const PAYOUT_MSAT = 2_000_000n
const DAY_SECONDS = 24 * 3600
const HOUR_MS = 3_600_000
const LOOK_EVERY_MS = 10
/** The escrow has moved on meanwhile, or not yet; the node is busy. */
const NOT_NOW = new Set(['ESCROW_WRONG_PHASE', 'ESCROW_FUNDED', 'NODE_OFFLINE'])

/**
 * One escrow, and what its buyer and its worker do about it. They go by what stands in the table: whatever a dead
 * server left, they go on from there, and what they have done already they do not do again.
 */
export class EscrowStory {
  readonly kind: StoryKind
  /** Tells the escrows apart. */
  readonly title: string
  /** Of the worker's wallet, where the story must know it. */
  readonly preimage: string
  readonly #repaymentPreimage: string
  readonly #deadlineAt = Date.now() + 24 * HOUR_MS
  #workersInvoice: string | null = null
  #refundInvoice: string | null = null
  #buyersTries = 0
  #hasEnded = false
  /** How often each mutation was refused because it was not its time. */
  readonly #refusals = new Map<string, number>()

  constructor(kind: StoryKind, title: string) {
    this.kind = kind
    this.title = title
    this.preimage = sha256Of(`preimage of ${title}`)
    this.#repaymentPreimage = sha256Of(`preimage of the repayment of ${title}`)
  }

  /** Of the worker's invoice, to which the hold is locked; null: there is none yet. */
  get workersHash(): string | null {
    return this.#workersInvoice === null ? null : decodeInvoice(this.#workersInvoice).paymentHash
  }

  /** The ids under which the buyer's wallet has paid for the hold. */
  get buyersPayments(): string[] {
    return Array.from({ length: this.#buyersTries }, (_, index) => this.#paymentId(index + 1))
  }

  /** The parties act until the escrow has ended or the server is dead. */
  async live(life: EscrowLife): Promise<void> {
    while (!this.#hasEnded && !life.died.aborted) {
      const state = await life.find(this.title)
      this.#hasEnded = state !== null && 'endedAt' in state
      if (!this.#hasEnded) await this.#act(life, state)
      await sleep(LOOK_EVERY_MS)
    }
  }

  async #act(life: EscrowLife, state: EscrowState | null): Promise<void> {
    if (state === null) return void (await this.create(life))
    if (state.phase === 'draft') return this.#ask(life, 'buyer', 'publishTask', state)
    const milestone = state.milestones[0]!
    switch (milestone.phase) {
      case 'awaiting-invoice':
        return this.#submitInvoice(life, state)
      case 'planned':
      case 'ready-to-fund':
        return this.#ask(life, 'buyer', 'fundMilestone', state)
      case 'awaiting-funds':
        return this.#awaitFunds(life, state, milestone)
      case 'held':
        return this.#isCoordinated && milestone.payee === null
          ? this.#findWorker(life, state)
          : this.#held(life, state)
      case 'releasing':
      case 'payout-unknown':
        return this.#releasing(life, state, milestone)
      case 'premature':
        this.#refundInvoice ??= await this.#makeRefundInvoice(life.buyer, milestone.owedMsat)
        return this.#ask(life, 'buyer', 'submitRefundInvoice', state, { invoice: this.#refundInvoice })
      case 'repaying':
        return this.#repaying(life, milestone)
      default:
        return
    }
  }

  /** Answers the same escrow however often it is asked for. */
  create(life: EscrowLife): Promise<MutationAnswer> {
    const milestone = {
      title: 'Oranges',
      payoutMsat: `${PAYOUT_MSAT}`,
      workMs: 4 * HOUR_MS,
      objectionMs: HOUR_MS,
      holdBlocks: 288,
    }
    const plan = { title: this.title, deadlineAt: this.#deadlineAt, milestones: [milestone] }
    const input = this.#isCoordinated
      ? { kind: 'TASK', custody: 'COORDINATED', plan }
      : { kind: 'ORDER', worker: life.workersKey, plan }
    return this.#send(life, 'buyer', { name: 'createTask', inputType: 'CreateTaskInput', input })
  }

  async #awaitFunds(life: EscrowLife, state: EscrowState, milestone: In<'awaiting-funds'>): Promise<void> {
    const { fundingInvoice: invoice, terms } = milestone
    if (invoice === null) return
    if (this.kind === 'cancelled unpaid') return this.#ask(life, 'buyer', 'cancelTask', state)
    const { buyer } = life
    const last = this.#buyersTries === 0 ? null : await buyer.payer.lookup(this.#paymentId(this.#buyersTries))
    if (last !== null && last.state !== 'failed') return
    // While the operator's node is away there is no way to pay.
    if (!(await buyer.listChannels()).some(({ usable }) => usable)) return
    this.#buyersTries++
    await buyer.payer.pay({
      paymentId: this.#paymentId(this.#buyersTries),
      destination: { kind: 'bolt11', invoice },
      amountMsat: terms.payoutMsat + terms.feeMsat,
      maxFeeMsat: 0n,
      timeoutMs: 10_000,
    })
    life.done('buyer paid', this.title)
  }

  async #submitInvoice(life: EscrowLife, state: EscrowState): Promise<void> {
    this.#workersInvoice ??= await this.#makeWorkersInvoice(life.worker)
    return this.#ask(life, 'worker', 'submitInvoice', state, { invoice: this.#workersInvoice })
  }

  /** The money is locked before anybody works for it. */
  async #findWorker(life: EscrowLife, state: EscrowState): Promise<void> {
    const { workersKey: worker } = life
    if (state.worker !== null) return this.#submitInvoice(life, state)
    if (state.applications.length > 0) return this.#ask(life, 'buyer', 'assignWorker', state, { worker })
    return this.#ask(life, 'worker', 'applyToTask', state)
  }

  async #held(life: EscrowLife, state: EscrowState): Promise<void> {
    if (this.kind === 'refunded') return this.#ask(life, 'worker', 'refundMilestone', state)
    if (!this.#isClaimedEarly) return this.#ask(life, 'buyer', 'approveMilestone', state)
    const reported = this.#ask(life, 'buyer', 'reportPreimage', state, { preimage: this.preimage })
    life.done('buyer reported', this.title)
    return reported
  }

  async #releasing(
    life: EscrowLife,
    state: EscrowState,
    { phase, paymentHash, payout }: In<'releasing' | 'payout-unknown'>,
  ): Promise<void> {
    if (payout === null) {
      if (this.#refuses) await this.#ask(life, 'worker', 'refundMilestone', state)
      return
    }
    if (!this.#isWorkersHold) return
    const { holdInvoices } = life.worker
    if ((await holdInvoices.lookup(paymentHash))?.state !== 'held') return
    if (this.#refuses) return holdInvoices.cancel(paymentHash)
    // A slow wallet: not before the server has come to know that the payout is on its way.
    if (phase === 'releasing' && !payout.accepted) return
    await holdInvoices.settle(paymentHash, this.preimage)
    life.done('worker claimed', this.title)
  }

  async #repaying({ buyer }: EscrowLife, { payee, repayment }: In<'repaying'>): Promise<void> {
    if (!this.#isBuyersHold || repayment === null) return
    if (repayment.phase === 'sending' && !repayment.accepted) return
    const hold = await buyer.holdInvoices.lookup(payee.paymentHash)
    if (hold?.state === 'held') await buyer.holdInvoices.settle(payee.paymentHash, this.#repaymentPreimage)
  }

  async #ask(
    life: EscrowLife,
    by: Party,
    name: keyof typeof INPUTS,
    { id: taskId }: EscrowState,
    more: object = {},
  ): Promise<void> {
    const inputType = INPUTS[name]
    const which = OF_A_TASK.has(inputType) ? { taskId } : { taskId, milestone: 0 }
    await this.#send(life, by, { name, inputType, input: { ...which, ...more } })
  }

  async #send(life: EscrowLife, by: Party, mutation: Mutation): Promise<MutationAnswer> {
    const { name } = mutation
    // A refusal stays the answer to its key.
    const refusals = this.#refusals.get(name) ?? 0
    const answer = await askServer(life, by, `${name} of ${this.title} after ${refusals}`, mutation)
    if (answer === null || !('refused' in answer)) return answer
    if (!NOT_NOW.has(answer.refused))
      throw new Error(`${name} of ${this.title} was refused: ${answer.refused}`)
    this.#refusals.set(name, refusals + 1)
    return answer
  }

  get #refuses(): boolean {
    return this.kind === 'refused by the worker’s wallet'
  }

  /** A wallet whose owner knows the preimage and decides when it claims; else it claims by itself. */
  get #isWorkersHold(): boolean {
    return this.#refuses || this.kind === 'released to a slow wallet'
  }

  get #isClaimedEarly(): boolean {
    return this.kind === 'claimed too early' || this.#isBuyersHold
  }

  get #isCoordinated(): boolean {
    return this.kind === 'coordinated'
  }

  get #isBuyersHold(): boolean {
    return this.kind === 'claimed too early, a slow wallet'
  }

  async #makeWorkersInvoice(worker: LdkNode): Promise<string> {
    const asked = { amountMsat: PAYOUT_MSAT, description: this.title, expirySeconds: 14 * DAY_SECONDS }
    if (!this.#isWorkersHold && !this.#isClaimedEarly) return (await worker.invoices.create(asked)).invoice
    return makeHold(worker, { ...asked, preimage: this.preimage })
  }

  async #makeRefundInvoice(buyer: LdkNode, amountMsat: bigint): Promise<string> {
    const asked = { amountMsat, description: this.title, expirySeconds: DAY_SECONDS }
    if (!this.#isBuyersHold) return (await buyer.invoices.create(asked)).invoice
    return makeHold(buyer, { ...asked, preimage: this.#repaymentPreimage })
  }

  #paymentId(number: number): string {
    return sha256Of(`payment ${number} of ${this.title}`)
  }
}

/** What a mutation is given. */
const INPUTS = {
  publishTask: 'TaskInput',
  cancelTask: 'TaskInput',
  submitInvoice: 'InvoiceInput',
  submitRefundInvoice: 'InvoiceInput',
  fundMilestone: 'MilestoneIdInput',
  approveMilestone: 'MilestoneIdInput',
  refundMilestone: 'MilestoneIdInput',
  reportPreimage: 'ReportPreimageInput',
  applyToTask: 'ApplyToTaskInput',
  assignWorker: 'AssignWorkerInput',
} as const
const OF_A_TASK: ReadonlySet<string> = new Set(['TaskInput', 'ApplyToTaskInput', 'AssignWorkerInput'])

async function makeHold(
  node: LdkNode,
  {
    preimage,
    ...asked
  }: { preimage: string; amountMsat: bigint; description: string; expirySeconds: number },
): Promise<string> {
  const paymentHash = createHash('sha256').update(Buffer.from(preimage, 'hex')).digest('hex')
  return (await node.holdInvoices.create({ ...asked, paymentHash, minFinalCltvExpiryDelta: 40 })).invoice
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
