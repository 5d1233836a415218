import { createHash, randomBytes } from 'node:crypto'
import type {
  Capability,
  Hex,
  HoldInvoiceRequest,
  HoldState,
  NodeEvent,
  PaymentOutcome,
  PayRequest,
} from '@holdfast/lightning'
import { NodeError } from '@holdfast/lightning'
import { decodeInvoice } from '@holdfast/protocols/bolt11'
import type { OperatorNode } from '../operator-node.ts'

type Hold = { request: HoldInvoiceRequest; state: HoldState }
type Payment = { request: PayRequest; paymentHash: Hex; outcome: PaymentOutcome; endsBy: number }
type Happened = NodeEvent extends infer E ? (E extends NodeEvent ? Omit<E, 'cursor' | 'at'> : never) : never

/**
 * Test double of the operator's node: holds and payments in memory, as the ports promise them, with the faults that a
 * test asks for. It throws when a hold is cancelled although a payout on its hash may pay, or an id is paid twice.
 */
export class EscrowNode implements OperatorNode {
  /** Each its own: how far its events were read is kept by node. */
  readonly nodeId = `02${randomBytes(32).toString('hex')}`
  readonly network = 'regtest' as const
  capabilities: ReadonlySet<Capability> = new Set<Capability>(['bought-holds', 'own-holds'])
  readonly holds = new Map<Hex, Hold>()
  readonly payments = new Map<Hex, Payment>()
  readonly happened: NodeEvent[] = []
  /** Every request that reached it, for ever, by name. */
  readonly calls: string[] = []
  /** What it was told that it will probably be asked to pay. */
  readonly expected: PayRequest['destination'][] = []
  height = 1_000
  spendableMsat = 10_000_000_000n
  receivableMsat = 10_000_000_000n
  offline = false
  acknowledged = 0
  /** Up to this cursor it remembers no events. */
  forgotten = 0
  /** The peer of the channel over which a hold is claimed does not let go of it: only `endClaims` says how that ends. */
  peerIsSilent = false
  /** So many next calls that change something are carried out but never answered. */
  loseAnswers = 0

  readonly holdInvoices = {
    create: async (request: HoldInvoiceRequest) =>
      this.#answer('create', () => {
        if (!this.holds.has(request.paymentHash)) {
          this.holds.set(request.paymentHash, { request, state: { state: 'open' } })
        }
        return { invoice: `lnbcrt-hold-${request.paymentHash.slice(0, 8)}` }
      }),
    cancel: async (paymentHash: Hex) =>
      this.#answer('cancel', () => {
        const hold = this.holds.get(paymentHash)
        if (!hold) throw new NodeError('not-held', 'unknown')
        if (hold.state.state === 'settled' || hold.state.state === 'lost')
          throw new NodeError('conflict', 'settled')
        const alive = [...this.payments.values()].some(
          (payment) => payment.paymentHash === paymentHash && payment.outcome.state !== 'failed',
        )
        if (alive) throw new Error('a hold was cancelled while its payout was in flight')
        if (hold.state.state !== 'cancelled') this.#record({ kind: 'hold-cancelled', paymentHash })
        hold.state = { state: 'cancelled' }
      }),
    settle: async (paymentHash: Hex, preimage: Hex) =>
      this.#answer('settle', () => {
        if (hashOf(preimage) !== paymentHash) throw new NodeError('invalid', 'another preimage')
        if (!this.claim(paymentHash)) throw new NodeError('not-held', 'nothing is held')
      }),
    lookup: async (paymentHash: Hex) => {
      this.#reach()
      return this.holds.get(paymentHash)?.state ?? null
    },
    lookupAll: async (paymentHashes: readonly Hex[]) => {
      this.calls.push('lookup-all')
      this.#reach()
      return paymentHashes.map((paymentHash) => this.holds.get(paymentHash)?.state ?? null)
    },
    watch: () => () => undefined,
  }

  readonly ownHolds = {
    paymentHash: async (label: string) => {
      this.#reach()
      return hashOf(this.#preimage(label))
    },
    settle: async (label: string) => {
      const preimage = this.#preimage(label)
      await this.holdInvoices.settle(hashOf(preimage), preimage)
    },
  }

  readonly payer = {
    expect: (destination: PayRequest['destination']) => void this.expected.push(destination),
    pay: async (request: PayRequest) =>
      this.#answer('pay', () => {
        const known = this.payments.get(request.paymentId)
        if (known) return known.outcome
        if (request.destination.kind !== 'bolt11') throw new NodeError('unsupported', 'offers')
        const paymentHash = hashIn(request.destination.invoice)
        const { whileHeld } = request
        if (whileHeld !== undefined && this.holds.get(whileHeld)?.state.state !== 'held')
          throw new NodeError('not-held', 'nothing is held')
        const twice = [...this.payments.values()].some(
          (payment) => payment.paymentHash === paymentHash && payment.outcome.state !== 'failed',
        )
        if (twice) throw new Error('an invoice was paid twice')
        const outcome = { state: 'pending', paymentHash } as const
        const endsBy = this.height + (request.maxTotalCltvExpiryDelta ?? 1_008)
        this.payments.set(request.paymentId, { request, paymentHash, outcome, endsBy })
        return outcome
      }),
    lookup: async (paymentId: Hex) => {
      this.#reach()
      return this.payments.get(paymentId)?.outcome ?? null
    },
  }

  readonly funds = {
    balance: async () => {
      this.#reach()
      return {
        lightningMsat: this.spendableMsat,
        sendableMsat: this.spendableMsat,
        receivableMsat: this.receivableMsat,
        onchainSat: 0n,
        claimableSat: 0n,
      }
    },
  }

  readonly events = {
    since: async (cursor: number, { limit = 100 }: { limit?: number } = {}) => {
      this.#reach()
      const { forgotten } = this
      if (cursor < forgotten) return [{ kind: 'events-forgotten' as const, cursor: forgotten, at: 0 }]
      return this.happened.filter((event) => event.cursor > cursor).slice(0, limit)
    },
    acknowledge: async (cursor: number) => {
      this.#reach()
      this.acknowledged = Math.max(this.acknowledged, cursor)
    },
  }

  /** All parts of the buyer's payment arrive. */
  buyerPays(paymentHash: Hex, amountMsat?: bigint): void {
    const hold = this.holds.get(paymentHash)
    if (hold?.state.state !== 'open') return
    const held = {
      amountMsat: amountMsat ?? hold.request.amountMsat,
      claimDeadlineHeight: this.height + hold.request.minFinalCltvExpiryDelta - 17,
    }
    hold.state = { state: 'held', ...held }
    this.#record({ kind: 'hold-accepted', paymentHash, ...held })
  }

  /** The payee takes what is in flight, which brings the preimage; or it comes back. */
  payeeAnswers(succeeds: boolean, which: (payment: Payment) => boolean = () => true): void {
    for (const [paymentId, payment] of this.payments) {
      const { paymentHash, request } = payment
      if (payment.outcome.state !== 'pending' || !which(payment)) continue
      if (!succeeds) {
        payment.outcome = { state: 'failed', paymentHash, reason: 'no-route' }
        this.#record({ kind: 'payment-failed', paymentId, paymentHash, reason: 'no-route' })
        continue
      }
      const { amountMsat } = request
      payment.outcome = { state: 'succeeded', paymentHash, amountMsat, feeMsat: 5n }
      this.#record({ kind: 'payment-succeeded', paymentId, paymentHash, amountMsat, feeMsat: 5n })
      this.claim(paymentHash)
    }
  }

  /** Blocks are mined: a payment in flight ends by its cap, and a hold that is still there goes back by itself. */
  mineTo(height: number): void {
    this.height = height
    this.payeeAnswers(height % 2 === 0, ({ endsBy }) => endsBy <= height)
    for (const [paymentHash, hold] of this.holds) {
      if (hold.state.state !== 'held' || hold.state.claimDeadlineHeight > height) continue
      hold.state = { state: 'cancelled' }
      this.#record({ kind: 'hold-cancelled', paymentHash })
    }
  }

  claim(paymentHash: Hex): boolean {
    const hold = this.holds.get(paymentHash)
    if (hold?.state.state === 'settled' || hold?.state.state === 'lost') return true
    if (hold?.state.state !== 'held') return false
    const { amountMsat } = hold.state
    hold.state = { state: 'settled', amountMsat, isFinal: !this.peerIsSilent }
    this.#record({ kind: 'hold-settled', paymentHash, amountMsat })
    return true
  }

  /** What was claimed from a silent peer: it lets go of it, or has taken it back on the chain. */
  endClaims(how: 'final' | 'lost', which: (paymentHash: Hex) => boolean = () => true): void {
    for (const [paymentHash, hold] of this.holds) {
      if (hold.state.state !== 'settled' || hold.state.isFinal || !which(paymentHash)) continue
      const { amountMsat } = hold.state
      if (how === 'final') {
        hold.state = { state: 'settled', amountMsat, isFinal: true }
        continue
      }
      hold.state = { state: 'lost', amountMsat }
      this.#record({ kind: 'hold-lost', paymentHash, amountMsat })
    }
  }

  /** How much its owner has gained: claimed holds less what was paid. */
  gainMsat(): bigint {
    const claimed = [...this.holds.values()].reduce(
      (sum, { state }) => sum + (state.state === 'settled' ? state.amountMsat : 0n),
      0n,
    )
    return [...this.payments.values()].reduce(
      (sum, { outcome }) => sum - (outcome.state === 'succeeded' ? outcome.amountMsat + outcome.feeMsat : 0n),
      claimed,
    )
  }

  #record(event: Happened): void {
    this.happened.push({ cursor: this.happened.length + 1, at: 0, ...event } as NodeEvent)
  }

  #preimage(label: string): Hex {
    return hashOf(Buffer.from(`${this.nodeId}${label}`).toString('hex'))
  }

  #reach(): void {
    if (this.offline) throw new NodeError('offline', 'the test node is offline')
  }

  #answer<T>(name: string, work: () => T): T {
    this.calls.push(name)
    this.#reach()
    const answer = work()
    if (this.loseAnswers > 0) {
      this.loseAnswers--
      throw new NodeError('offline', 'the answer got lost')
    }
    return answer
  }
}

export const hashOf = (preimage: Hex): Hex =>
  createHash('sha256').update(Buffer.from(preimage, 'hex')).digest('hex')

const known = new Map<string, Hex>()

/** Remembered, because checking a signature is most of what a thousand payments in memory cost. */
function hashIn(invoice: string): Hex {
  const hash = known.get(invoice) ?? decodeInvoice(invoice).paymentHash
  known.set(invoice, hash)
  return hash
}
