import { merkleRoot, readTlvStream, type TlvRecord, writeTlvStream } from '@holdfast/protocols/bolt12'
import { schnorr } from '@noble/curves/secp256k1.js'
import {
  Destination,
  InvoiceRequest,
  MessageSendInstructions,
  OffersMessage,
  OffersMessage_InvoiceRequest,
  Result_InvoiceRequestDecodeErrorZ_OK,
  TwoTuple_OffersMessageMessageSendInstructionsZ,
} from 'lightningdevkit'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fromHex, toHex } from './bytes.ts'
import type { NodeContext } from './context.ts'
import { offerKeys, payerMetadata, payerSecret, publicKeyOf } from './offer-keys.ts'
import { OfferRequests } from './offer-requests.ts'
import { CHAIN_HASH, type Offers } from './offers.ts'
import { payeeOf } from './payee-name.ts'
import type { Payments } from './payments.ts'
import { loadWasm } from './wasm.ts'

const keys = offerKeys(new Uint8Array(32).fill(7))
const nonce = new Uint8Array(16).fill(9)
const [NAMED, UNNAMED] = ['11'.repeat(32), '22'.repeat(32)]
const ISSUER = publicKeyOf(new Uint8Array(32).fill(5))

/** A request as LDK makes it for one of its payments. */
function requestFor(paymentId: string): InvoiceRequest {
  const metadata = payerMetadata(keys, paymentId, nonce)
  const fields: TlvRecord[] = [
    { type: 2n, value: fromHex(CHAIN_HASH.regtest) },
    { type: 22n, value: fromHex(ISSUER) },
    { type: 80n, value: fromHex(CHAIN_HASH.regtest) },
    { type: 82n, value: Uint8Array.of(5) },
  ]
  const secret = payerSecret(keys, { metadata, nonce }, writeTlvStream(fields))
  const unsigned = [
    { type: 0n, value: metadata },
    ...fields,
    { type: 88n, value: fromHex(publicKeyOf(secret)) },
  ]
  const digest = schnorr.utils.taggedHash('lightninginvoice_requestsignature', merkleRoot(unsigned))
  const signature = schnorr.sign(digest, secret)
  const read = InvoiceRequest.constructor_read(
    writeTlvStream([...unsigned, { type: 240n, value: signature }]),
  )
  if (!(read instanceof Result_InvoiceRequestDecodeErrorZ_OK)) throw new Error('LDK cannot read the request.')
  return read.res
}

describe('a request that goes out', () => {
  let pending: string[]
  let requests: OfferRequests
  let errors: string[]

  beforeAll(() => loadWasm())
  beforeEach(() => {
    ;[pending, errors] = [[], []]
    const instructions = () =>
      MessageSendInstructions.constructor_without_reply_path(Destination.constructor_node(fromHex(ISSUER)))
    const release = () =>
      pending
        .splice(0)
        .map((paymentId) =>
          TwoTuple_OffersMessageMessageSendInstructionsZ.constructor_new(
            OffersMessage.constructor_invoice_request(requestFor(paymentId)),
            instructions(),
          ),
        )
    const payments: Pick<Payments, 'payeeOf'> = {
      payeeOf: (paymentId) => (paymentId === UNNAMED ? null : 'alice@shop.test'),
    }
    requests = new OfferRequests({
      node: { log: { error: (message: string) => void errors.push(message) } } as unknown as NodeContext,
      answering: { release_pending_messages: release } as never,
      payments: payments as Payments,
      offers: {} as Offers,
      keys,
    })
  })

  /** LDK makes requests for these payments, or sends them again. */
  function send(...paymentIds: string[]): InvoiceRequest[] {
    for (const paymentId of paymentIds) requests.begun(paymentId, nonce)
    pending = paymentIds
    return requests.release().map((outgoing) => {
      const message = outgoing.get_a()
      if (!(message instanceof OffersMessage_InvoiceRequest)) throw new Error('It is no invoice request.')
      return message.invoice_request
    })
  }
  const payeesOf = (sent: readonly InvoiceRequest[]) => sent.map((each) => payeeOf(each.offer_from_hrn()))
  const signatureOf = (request: InvoiceRequest | undefined) =>
    toHex(readTlvStream(request!.write()).find(({ type }) => type === 240n)!.value)

  test('says which name is paid, if one is', () => {
    expect(payeesOf(send(NAMED, UNNAMED))).toEqual(['alice@shop.test', null])
    expect(errors).toEqual([])
  })

  test('is signed once, however often LDK sends it', () => {
    const signatures = [send(NAMED), send(UNNAMED), send(NAMED), send(NAMED, NAMED)]
      .flat()
      .filter((request) => payeeOf(request.offer_from_hrn()) !== null)
      .map(signatureOf)
    expect(signatures).toHaveLength(4)
    expect(new Set(signatures).size).toBe(1)
  })

  test('names its payee also among very many, and after very many others', () => {
    const many = Array.from({ length: 120 }, (_, n) => n.toString(16).padStart(64, '0'))
    const [first] = send(NAMED)
    expect(new Set(payeesOf(send(...many)))).toEqual(new Set(['alice@shop.test']))
    const [again] = send(NAMED)
    expect(payeesOf([again!])).toEqual(['alice@shop.test'])
    expect(signatureOf(again)).not.toBe(signatureOf(first))
  })
})
