import { ChannelId, Result_NoneAPIErrorZ_Err } from 'lightningdevkit'
import {
  type Hex,
  type HoldInvoiceRequest,
  type InvoiceRequest,
  NodeError,
  type OfferRequest,
  type PaymentOutcome,
  type PayRequest,
} from '../../ports.ts'
import type { OpenChannelRequest } from '../types.ts'
import { fromHex, toHex } from './bytes.ts'
import { describe } from './channel-opener.ts'
import { listChannels } from './channels.ts'
import { balanceOf } from './funds.ts'
import type { Node } from './node.ts'

/** What proxies may look up: it changes nothing, and needs no turn. */
export const QUESTIONS = {
  lookupInvoice: (node: Node, paymentHash: Hex) => node.invoices.lookup(paymentHash),
  lookupHold: (node: Node, paymentHash: Hex) => node.holds.lookup(paymentHash),
  lookupHolds: (node: Node, paymentHashes: readonly Hex[]) => node.holds.lookupAll(paymentHashes),
  ownHash: (node: Node, label: string) => node.ownHashes.paymentHash(label),
  listOffers: (node: Node) => node.offers.list(),
  expectPayment: (node: Node, destination: PayRequest['destination']) => node.payments.expect(destination),
  lookupPayment,
  preimage: (node: Node, paymentId: Hex) => node.payments.proof(paymentId),
  balance: (node: Node) => balanceOf(node),
  events: (node: Node, cursor: number, options: { limit?: number; waitMs?: number }) =>
    node.events.since(cursor, options),
  latestEvent: (node: Node) => node.events.latest(),
  listPeers: (node: Node) => [...node.peers.connected()],
  listChannels: (node: Node) => listChannels(node.assembly.manager),
  knowsChannel: (node: Node, shortChannelId: bigint) => node.knowsChannel(shortChannelId),
} as const

/** What proxies may have done; each runs inside a turn. */
export const COMMANDS = {
  createInvoice: (node: Node, request: InvoiceRequest) => node.invoices.create(request),
  createHold: (node: Node, request: HoldInvoiceRequest) => node.holds.create(request),
  settleHold: (node: Node, paymentHash: Hex, preimage: Hex) => node.holds.settle(paymentHash, preimage),
  cancelHold: (node: Node, paymentHash: Hex) => node.holds.cancel(paymentHash),
  settleOwnHold: (node: Node, label: string) =>
    node.holds.settle(node.ownHashes.paymentHash(label), toHex(node.ownHashes.preimage(label))),
  createOffer: (node: Node, request: OfferRequest) => node.offers.create(request),
  disableOffer: (node: Node, offerId: string) => node.offers.disable(offerId),
  pay: (node: Node, request: PayRequest) => node.payments.pay(request),
  acknowledgeEvents: (node: Node, cursor: number) => node.events.acknowledge(cursor),
  connect: (node: Node, peer: Hex, host: string, port: number) => node.peers.connect(peer, host, port),
  openChannel: (node: Node, request: OpenChannelRequest) => node.opener.open(request),
  closeChannel,
  newAddress: (node: Node) => node.wallet.newAddress().address,
} as const

export type Calls = typeof QUESTIONS & typeof COMMANDS

/** The outcome once it is not pending any more, or the last one when `waitMs` are over. */
async function lookupPayment(node: Node, paymentId: Hex, waitMs: number): Promise<PaymentOutcome | null> {
  const until = performance.now() + waitMs
  for (;;) {
    const outcome = node.payments.lookup(paymentId)
    const left = until - performance.now()
    if (outcome?.state !== 'pending' || left <= 0) return outcome
    if (!(await node.events.next(left))) return outcome
  }
}

function closeChannel(node: Node, channelId: Hex, options: { force?: boolean }): void {
  const { manager } = node.assembly
  const channel = manager.list_channels().find((open) => toHex(open.get_channel_id().get_a()) === channelId)
  if (!channel) throw new NodeError('invalid', `There is no channel ${channelId}.`)
  const id = ChannelId.constructor_new(fromHex(channelId))
  const peer = channel.get_counterparty().get_node_id()
  const closed = options.force
    ? manager.force_close_broadcasting_latest_txn(id, peer, 'closed by its owner')
    : manager.close_channel(id, peer)
  if (closed instanceof Result_NoneAPIErrorZ_Err) throw new NodeError('invalid', describe(closed.err))
}
