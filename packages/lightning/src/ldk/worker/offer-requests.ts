import {
  InvoiceError,
  InvoiceRequest,
  OffersMessage,
  OffersMessage_InvoiceRequest,
  type OffersMessageHandler,
  Option_C2Tuple_OffersMessageResponseInstructionZZ,
  type Option_OffersContextZ,
  type Responder,
  Result_InvoiceRequestDecodeErrorZ_OK,
  TwoTuple_OffersMessageMessageSendInstructionsZ,
  TwoTuple_OffersMessageResponseInstructionZ,
} from 'lightningdevkit'
import type { Hex } from '../../ports.ts'
import { toHex } from './bytes.ts'
import { isNull } from './channels.ts'
import type { NodeContext } from './context.ts'
import { type OfferKeys, payerMetadata } from './offer-keys.ts'
import type { Offers } from './offers.ts'
import { nameThePayee, payeeOf } from './payee-name.ts'
import type { Payments } from './payments.ts'

type Answer = Option_C2Tuple_OffersMessageResponseInstructionZZ
type Outgoing = TwoTuple_OffersMessageMessageSendInstructionsZ

type Parts = {
  readonly node: NodeContext
  readonly offers: Offers
  readonly payments: Payments
  readonly keys: OfferKeys
  /** LDK's own part of it. */
  readonly answering: OffersMessageHandler
}

/** LDK before 0.1.3 cuts a longer payer note at this byte, and panics when that is in the middle of a character. */
const PAYER_NOTE_BYTES = 512

/**
 * Stands between LDK and those with whom it speaks about offers: LDK answers for every offer it ever derived keys for,
 * and its requests never say by which name an offer was found.
 */
export class OfferRequests {
  readonly #parts: Parts
  /** The requests that LDK has not released yet, by their metadata. */
  readonly #begun = new Map<Hex, { readonly paymentId: Hex; readonly nonce: Uint8Array }>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  hear(message: OffersMessage, context: Option_OffersContextZ, responder: Responder): Answer {
    const { answering, offers } = this.#parts
    const pass = () => answering.handle_message(message, context, responder)
    if (!(message instanceof OffersMessage_InvoiceRequest)) return pass()
    const { invoice_request: request } = message
    if (hasLongNote(request)) return silence()
    switch (offers.answerTo(toHex(request.issuer_signing_pubkey()), payeeOf(request.offer_from_hrn()))) {
      case 'invoice':
        return pass()
      case 'silence':
        return silence()
      case 'names-no-payee-here':
        return isNull(responder) ? silence() : error(responder, 'Say which name you pay (field 91).')
    }
  }

  /** LDK makes a request, or sends one again. */
  begun(paymentId: Hex, nonce: Uint8Array): void {
    if (this.#parts.payments.payeeOf(paymentId) === null) return
    this.#begun.set(toHex(payerMetadata(this.#parts.keys, paymentId, nonce)), { paymentId, nonce })
  }

  release(): Outgoing[] {
    const released = this.#parts.answering.release_pending_messages()
    if (released.length === 0) return released
    const named = released.map((outgoing) => this.#named(outgoing))
    this.#begun.clear()
    return named
  }

  #named(outgoing: Outgoing): Outgoing {
    const { payments, keys, node } = this.#parts
    const message = outgoing.get_a()
    if (!(message instanceof OffersMessage_InvoiceRequest)) return outgoing
    const { invoice_request: request } = message
    const begun = this.#begun.get(toHex(request.payer_metadata()))
    const payee = begun ? payments.payeeOf(begun.paymentId) : null
    if (!begun || payee === null) return outgoing
    const bytes = nameThePayee(request.write(), payee, { keys, nonce: begun.nonce })
    const read = bytes === null ? null : InvoiceRequest.constructor_read(bytes)
    if (!(read instanceof Result_InvoiceRequestDecodeErrorZ_OK)) {
      node.log.error('An invoice request goes without the name of its payee.', { paymentId: begun.paymentId })
      return outgoing
    }
    const named = OffersMessage.constructor_invoice_request(read.res)
    return TwoTuple_OffersMessageMessageSendInstructionsZ.constructor_new(named, outgoing.get_b())
  }
}

function hasLongNote(request: InvoiceRequest): boolean {
  const note = request.payer_note()
  return !isNull(note) && Buffer.byteLength(note.get_a()) > PAYER_NOTE_BYTES
}

function silence(): Answer {
  return Option_C2Tuple_OffersMessageResponseInstructionZZ.constructor_none()
}

/** BOLT 12 `invoice_error`: the payer hears at once that there will be no invoice, and why. */
function error(responder: Responder, words: string): Answer {
  const message = OffersMessage.constructor_invoice_error(InvoiceError.constructor_from_string(words))
  return Option_C2Tuple_OffersMessageResponseInstructionZZ.constructor_some(
    TwoTuple_OffersMessageResponseInstructionZ.constructor_new(message, responder.respond()),
  )
}
