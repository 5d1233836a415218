import {
  type ChannelManager,
  Option_StrZ,
  Option_u64Z,
  Option_u64Z_Some,
  PaymentFailureReason,
  Result_C3Tuple_ThirtyTwoBytesRecipientOnionFieldsRouteParametersZNoneZ_OK,
  Result_NoneBolt12SemanticErrorZ_Err,
  Result_NoneRetryableSendFailureZ_Err,
  Retry,
  RetryableSendFailure,
  UtilMethods,
} from 'lightningdevkit'
import { type Hex, NodeError } from '../../ports.ts'
import { fromHex } from './bytes.ts'
import type { NodeContext } from './context.ts'
import type { Destinations, ReadInvoice, ReadOffer } from './destinations.ts'

const ATTEMPTS = 10

export type Order = {
  readonly paymentId: Hex
  readonly kind: 'bolt11' | 'bolt12'
  /** The invoice's or the offer's text. */
  readonly destination: string
  readonly amountMsat: bigint
  readonly maxFeeMsat: bigint
  readonly payerNote: string | null
}

/** Gives the payment to LDK, once; answers why LDK takes it on as failed, or null. */
export type HandOver = () => PaymentFailureReason | null

/** Throws `NodeError('invalid')` when LDK cannot pay the destination. */
export function prepareHandOver(
  node: Pick<NodeContext, 'manager' | 'log'>,
  destinations: Destinations,
  order: Order,
): HandOver {
  return order.kind === 'bolt11'
    ? prepareInvoice(node.manager, destinations.invoice(order.destination), order)
    : prepareOffer(node, destinations.offer(order.destination), order)
}

function prepareInvoice(manager: ChannelManager, { ldk: invoice }: ReadInvoice, order: Order): HandOver {
  const parameters =
    invoice.amount_milli_satoshis() instanceof Option_u64Z_Some
      ? UtilMethods.constructor_payment_parameters_from_invoice(invoice)
      : UtilMethods.constructor_payment_parameters_from_variable_amount_invoice(invoice, order.amountMsat)
  if (!(parameters instanceof Result_C3Tuple_ThirtyTwoBytesRecipientOnionFieldsRouteParametersZNoneZ_OK))
    throw new NodeError('invalid', 'LDK finds no amount to pay.')
  const route = parameters.res.get_c()
  route.set_max_total_routing_fee_msat(Option_u64Z.constructor_some(order.maxFeeMsat))
  return () => {
    const sent = manager.send_payment(
      parameters.res.get_a(),
      parameters.res.get_b(),
      fromHex(order.paymentId),
      route,
      Retry.constructor_attempts(ATTEMPTS),
    )
    return sent instanceof Result_NoneRetryableSendFailureZ_Err ? failureToSend(sent.err) : null
  }
}

function prepareOffer(
  { manager, log }: Pick<NodeContext, 'manager' | 'log'>,
  { ldk: offer }: ReadOffer,
  order: Order,
): HandOver {
  return () => {
    const asked = manager.pay_for_offer(
      offer,
      Option_u64Z.constructor_none(),
      Option_u64Z.constructor_some(order.amountMsat),
      order.payerNote === null
        ? Option_StrZ.constructor_none()
        : Option_StrZ.constructor_some(order.payerNote),
      fromHex(order.paymentId),
      Retry.constructor_attempts(ATTEMPTS),
      Option_u64Z.constructor_some(order.maxFeeMsat),
    )
    if (!(asked instanceof Result_NoneBolt12SemanticErrorZ_Err)) return null
    const { paymentId } = order
    log.warn('LDK does not ask for an invoice.', { paymentId, error: Number(asked.err) })
    return PaymentFailureReason.LDKPaymentFailureReason_RouteNotFound
  }
}

function failureToSend(failure: RetryableSendFailure): PaymentFailureReason {
  switch (failure) {
    case RetryableSendFailure.LDKRetryableSendFailure_PaymentExpired:
      return PaymentFailureReason.LDKPaymentFailureReason_PaymentExpired
    case RetryableSendFailure.LDKRetryableSendFailure_RouteNotFound:
      return PaymentFailureReason.LDKPaymentFailureReason_RouteNotFound
    case RetryableSendFailure.LDKRetryableSendFailure_DuplicatePayment:
    case RetryableSendFailure.LDKRetryableSendFailure_OnionPacketSizeExceeded:
      return PaymentFailureReason.LDKPaymentFailureReason_UnexpectedError
  }
}
