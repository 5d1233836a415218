import {
  type Event,
  Event_ChannelClosed,
  Event_ChannelPending,
  Event_ChannelReady,
  Event_ConnectionNeeded,
  Event_DiscardFunding,
  Event_FundingGenerationReady,
  Event_HTLCHandlingFailed,
  Event_OpenChannelRequest,
  Event_PaymentClaimable,
  Event_PaymentClaimed,
  Event_PaymentFailed,
  Event_PaymentPathFailed,
  Event_PaymentSent,
  Event_PendingHTLCsForwardable,
  Event_SpendableOutputs,
  FundingInfo_Tx,
  Option_PaymentFailureReasonZ_Some,
  Option_ThirtyTwoBytesZ_Some,
  PaymentPurpose_Bolt11InvoicePayment,
  PaymentPurpose_Bolt12OfferPayment,
  type SocketAddress,
  SocketAddress_TcpIpV4,
  SocketAddress_TcpIpV6,
} from 'lightningdevkit'
import { txidOf } from './block.ts'
import { toHex } from './bytes.ts'
import type { ChannelOpener } from './channel-opener.ts'
import type { NodeContext } from './context.ts'
import type { Holds } from './holds.ts'
import type { OrdinaryInvoices } from './invoices.ts'
import type { Offers } from './offers.ts'
import { payeeOf } from './payee-name.ts'
import type { Payments } from './payments.ts'
import type { Sweeps } from './sweeps.ts'
import type { Wallet } from './wallet.ts'

export type EventParts = {
  node: NodeContext
  invoices: OrdinaryInvoices
  holds: Holds
  offers: Offers
  payments: Payments
  sweeps: Sweeps
  wallet: Wallet
  opener: ChannelOpener
  forwardSoon: () => void
  reach: (nodeId: string, host: string, port: number) => void
}

/**
 * Turns what LDK reports into rows of the turn's transaction. LDK forgets an event once this returned and the manager
 * was persisted, which happens in that same transaction; before it, LDK says it again. So everything here is safe to
 * hear twice.
 */
export function handleEvent(parts: EventParts, event: Event): void {
  const { node } = parts
  if (event instanceof Event_PendingHTLCsForwardable) parts.forwardSoon()
  else if (event instanceof Event_PaymentClaimable) claimable(parts, event)
  else if (event instanceof Event_PaymentClaimed) claimed(parts, event)
  else if (event instanceof Event_PaymentSent) sent(parts, event)
  else if (event instanceof Event_PaymentFailed) {
    const hash = event.payment_hash
    const reason = event.reason
    parts.payments.failed(
      toHex(event.payment_id),
      hash instanceof Option_ThirtyTwoBytesZ_Some ? toHex(hash.some) : null,
      reason instanceof Option_PaymentFailureReasonZ_Some ? reason.some : null,
    )
  } else if (event instanceof Event_PaymentPathFailed) {
    if (event.payment_id instanceof Option_ThirtyTwoBytesZ_Some)
      parts.payments.pathsChanged(toHex(event.payment_id.some), -event.path.fee_msat())
  } else if (event instanceof Event_FundingGenerationReady) parts.opener.fund(event)
  else if (event instanceof Event_OpenChannelRequest) parts.opener.decide(event)
  else if (event instanceof Event_ChannelPending) parts.opener.pending(event)
  else if (event instanceof Event_ChannelReady)
    node.record({
      kind: 'channel-ready',
      channelId: toHex(event.channel_id.get_a()),
      peer: toHex(event.counterparty_node_id),
    })
  else if (event instanceof Event_ChannelClosed) {
    const channelId = toHex(event.channel_id.get_a())
    const reason = event.reason.to_str()
    parts.opener.closed(channelId, reason)
    node.record({ kind: 'channel-closed', channelId, peer: toHex(event.counterparty_node_id), reason })
  } else if (event instanceof Event_DiscardFunding) {
    if (event.funding_info instanceof FundingInfo_Tx)
      parts.wallet.release(txidOf(event.funding_info.transaction))
  } else if (event instanceof Event_SpendableOutputs) parts.sweeps.add(event.outputs)
  else if (event instanceof Event_ConnectionNeeded) {
    for (const address of event.addresses) {
      const reached = reachable(address)
      if (reached) parts.reach(toHex(event.node_id), reached.host, reached.port)
    }
  } else if (event instanceof Event_HTLCHandlingFailed)
    node.log.info('An HTLC was failed back.', { channelId: toHex(event.prev_channel_id.get_a()) })
}

function claimable({ node, invoices, holds, offers }: EventParts, event: Event_PaymentClaimable): void {
  const paymentHash = toHex(event.payment_hash)
  const { purpose, amount_msat: amountMsat } = event
  if (holds.knows(paymentHash)) {
    // What does not come by the hold's own invoice, such as a keysend by who knows the preimage, is not bound to its CLTV.
    if (!(purpose instanceof PaymentPurpose_Bolt11InvoicePayment)) {
      node.manager.fail_htlc_backwards(event.payment_hash)
      return
    }
    const deadline = event.claim_deadline
    holds.claimable(paymentHash, amountMsat, 'some' in deadline ? Number(deadline.some) : 0)
    return
  }
  const accepted =
    purpose instanceof PaymentPurpose_Bolt11InvoicePayment
      ? invoices.accepts(paymentHash, amountMsat)
      : purpose instanceof PaymentPurpose_Bolt12OfferPayment
        ? offers.accepts(toHex(purpose.payment_context.get_offer_id().get_a()), amountMsat)
        : false
  const preimage = purpose.preimage()
  if (accepted && preimage instanceof Option_ThirtyTwoBytesZ_Some) node.manager.claim_funds(preimage.some)
  else node.manager.fail_htlc_backwards(event.payment_hash)
}

function claimed({ node, invoices, holds, offers }: EventParts, event: Event_PaymentClaimed): void {
  const paymentHash = toHex(event.payment_hash)
  const { purpose, amount_msat: amountMsat } = event
  if (holds.knows(paymentHash)) {
    holds.claimed(paymentHash, amountMsat, event.htlcs)
    return
  }
  // LDK replays claims at every start until the monitor forgets the preimage.
  const isNew = node.store.run(
    'INSERT INTO receipts VALUES (?, ?) ON CONFLICT DO NOTHING',
    paymentHash,
    node.now(),
  )
  if (isNew === 0) return
  invoices.claimed(paymentHash, amountMsat)
  if (!(purpose instanceof PaymentPurpose_Bolt12OfferPayment)) {
    node.record({ kind: 'payment-received', paymentHash, amountMsat, offerId: null })
    return
  }
  const context = purpose.payment_context
  const offerId = offers.offerIdOf(toHex(context.get_offer_id().get_a()))
  const payee = payeeOf(context.get_invoice_request().get_human_readable_name())
  node.record({
    ...{ kind: 'payment-received', paymentHash, amountMsat, offerId },
    ...(payee !== null && { payee }),
  })
}

function sent({ holds, payments }: EventParts, event: Event_PaymentSent): void {
  const paymentHash = toHex(event.payment_hash)
  // First of all: a crash from here on replays this event, and claiming twice does no harm.
  holds.settleWhatWasBought(paymentHash, event.payment_preimage)
  const fee = event.fee_paid_msat
  if (event.payment_id instanceof Option_ThirtyTwoBytesZ_Some)
    payments.sent(
      toHex(event.payment_id.some),
      paymentHash,
      event.payment_preimage,
      'some' in fee ? BigInt(fee.some as bigint) : null,
    )
}

/** Null for Tor and for host names. */
function reachable(address: SocketAddress): { host: string; port: number } | null {
  if (address instanceof SocketAddress_TcpIpV4) return { host: address.addr.join('.'), port: address.port }
  if (!(address instanceof SocketAddress_TcpIpV6)) return null
  const groups = toHex(address.addr).match(/.{4}/g) ?? []
  return { host: groups.join(':'), port: address.port }
}
