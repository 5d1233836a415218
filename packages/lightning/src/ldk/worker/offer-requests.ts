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

type Begun = {
  readonly paymentId: Hex
  readonly nonce: Uint8Array
  /** Once it was released. LDK sends each a second time, with the next message of any peer. */
  named: InvoiceRequest | null
}

/** Of those that were released already. One that is forgotten is only signed again. */
const RELEASED_KEPT = 100

/** LDK before 0.1.3 cuts a longer payer note at this byte, and panics when that is in the middle of a character. */
const PAYER_NOTE_BYTES = 512

/**
 * Stands between LDK and those with whom it speaks about offers: LDK answers for every offer it ever derived keys for,
 * and its requests never say by which name an offer was found.
 */
export class OfferRequests {
  readonly #parts: Parts
  /** Requests that name a payee, by their metadata: those that LDK has not released yet, and the last of the others. */
  readonly #begun = new Map<Hex, Begun>()

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
    const metadata = toHex(payerMetadata(this.#parts.keys, paymentId, nonce))
    const named = this.#begun.get(metadata)?.named ?? null
    this.#begun.set(metadata, { paymentId, nonce, named })
  }

  release(): Outgoing[] {
    const released = this.#parts.answering.release_pending_messages()
    if (released.length === 0) return released
    const named = released.map((outgoing) => this.#named(outgoing))
    const tooMany = this.#begun.size - RELEASED_KEPT
    for (const metadata of [...this.#begun.keys()].slice(0, Math.max(0, tooMany)))
      this.#begun.delete(metadata)
    return named
  }

  #named(outgoing: Outgoing): Outgoing {
    const message = outgoing.get_a()
    if (!(message instanceof OffersMessage_InvoiceRequest)) return outgoing
    const { invoice_request: request } = message
    const begun = this.#begun.get(toHex(request.payer_metadata()))
    if (!begun) return outgoing
    begun.named ??= this.#nameThePayee(request, begun)
    if (begun.named === null) return outgoing
    const named = OffersMessage.constructor_invoice_request(begun.named)
    return TwoTuple_OffersMessageMessageSendInstructionsZ.constructor_new(named, outgoing.get_b())
  }

  #nameThePayee(request: InvoiceRequest, { paymentId, nonce }: Begun): InvoiceRequest | null {
    const { payments, keys, node } = this.#parts
    const payee = payments.payeeOf(paymentId)
    if (payee === null) return null
    const bytes = nameThePayee(request.write(), payee, { keys, nonce })
    const read = bytes === null ? null : InvoiceRequest.constructor_read(bytes)
    if (read instanceof Result_InvoiceRequestDecodeErrorZ_OK) return read.res
    node.log.error('An invoice request goes without the name of its payee.', { paymentId })
    return null
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
