import type {
  LightningNode,
  OfferRecord,
  OfferRequest,
  PaymentOutcome,
  PayRequest,
} from '@holdfast/lightning'
import { NodeError } from '@holdfast/lightning'
import { encodeOffer } from '@holdfast/protocols/bolt12'
import { chainHashOf } from '@holdfast/protocols/network'
import { publicKey } from '@holdfast/protocols/testing/points'

/** Test double of a Lightning node: offers and payments in memory, and the faults that a test asks for. */
export type TestNode = LightningNode & {
  offersMade: Map<string, OfferRecord>
  /** Each offer that was asked for. */
  requested: OfferRequest[]
  /** When the offers that are made from now on expire, as some nodes make them; null: never. */
  offersExpireAt: number | null
  /** Each request that the node took on, by payment id. */
  paid: Map<string, PayRequest>
  payCalls: number
  /** What becomes of payments that are asked for from now on. */
  becomes: PaymentOutcome
  outcomes: Map<string, PaymentOutcome>
  offline: boolean
  /** The next calls of `pay` are carried out but never answered. */
  loseAnswers: number
}

export function makeTestNode(overrides: Partial<LightningNode> = {}): TestNode {
  const reach = () => {
    if (node.offline) throw new NodeError('offline', 'the test node is offline')
  }
  const node: TestNode = {
    nodeId: publicKey(7),
    network: 'regtest',
    capabilities: new Set(['offers', 'pay', 'funds'] as const),
    offersMade: new Map(),
    requested: [],
    offersExpireAt: null,
    paid: new Map(),
    payCalls: 0,
    becomes: { state: 'succeeded', paymentHash: 'ab'.repeat(32), amountMsat: 21_000n, feeMsat: 21n },
    outcomes: new Map(),
    offline: false,
    loseAnswers: 0,
    offers: {
      async create(request: OfferRequest) {
        const { offerId, description, amountMsat } = request
        reach()
        node.requested.push(request)
        const known = node.offersMade.get(offerId)
        if (known) return { offer: known.offer }
        const { text: offer } = encodeOffer({
          chains: [chainHashOf('regtest')],
          issuerId: publicKey(7),
          metadata: Buffer.from(offerId).toString('hex'),
          ...(description !== undefined && { description }),
          ...(amountMsat !== undefined && { amount: { msat: amountMsat } }),
          ...(node.offersExpireAt !== null && {
            absoluteExpirySeconds: BigInt(Math.floor(node.offersExpireAt / 1000)),
          }),
        })
        node.offersMade.set(offerId, { offerId, offer, enabled: true, createdAt: Date.now() })
        return { offer }
      },
      async list() {
        reach()
        return [...node.offersMade.values()]
      },
      async disable(offerId: string) {
        reach()
        const known = node.offersMade.get(offerId)
        if (known) node.offersMade.set(offerId, { ...known, enabled: false })
      },
    },
    payer: {
      async pay(request) {
        node.payCalls++
        reach()
        if (!node.paid.has(request.paymentId)) {
          node.paid.set(request.paymentId, request)
          node.outcomes.set(
            request.paymentId,
            node.becomes.state === 'succeeded'
              ? { ...node.becomes, amountMsat: request.amountMsat }
              : node.becomes,
          )
        }
        if (node.loseAnswers > 0) {
          node.loseAnswers--
          throw new NodeError('offline', 'the answer got lost')
        }
        return node.outcomes.get(request.paymentId)!
      },
      async lookup(paymentId) {
        reach()
        return node.outcomes.get(paymentId) ?? null
      },
    },
    funds: {
      async balance() {
        reach()
        return {
          lightningMsat: 5_000_000n,
          sendableMsat: 5_000_000n,
          receivableMsat: 4_000_000n,
          onchainSat: 3n,
          claimableSat: 0n,
        }
      },
    },
    ...overrides,
  }
  return node
}

/** The offers that still answer. */
export function enabledOffers(node: TestNode): string[] {
  return [...node.offersMade.values()].filter(({ enabled }) => enabled).map(({ offer }) => offer)
}
