import { hexToBytes } from '@noble/hashes/utils.js'
import {
  type Bolt11Invoice,
  Bolt11InvoiceDescription,
  Description,
  Option_ThirtyTwoBytesZ,
  Option_u16Z,
  Option_u32Z,
  Option_u64Z,
  Result_Bolt11InvoiceSignOrCreationErrorZ_OK,
  Result_DescriptionCreationErrorZ_OK,
  Sha256,
} from 'lightningdevkit'
import { type Hex, type InvoiceDescription, NodeError } from '../../ports.ts'
import { toHex } from './bytes.ts'
import { checkHash } from './checks.ts'
import type { NodeContext } from './context.ts'

/** Has LDK make and sign an invoice; it throws `NodeError('invalid')` for what BOLT 11 or LDK does not allow. */
export function createBolt11(
  node: NodeContext,
  request: {
    amountMsat: bigint | null
    description: InvoiceDescription
    expirySeconds: number
    minFinalCltvExpiryDelta: number | null
    paymentHash: Hex | null
  },
): { invoice: string; paymentHash: Hex } {
  const description = describe(request.description)
  const create = (expiryDelta: bigint): Bolt11Invoice => {
    const created = node.manager.create_bolt11_invoice(
      request.amountMsat === null
        ? Option_u64Z.constructor_none()
        : Option_u64Z.constructor_some(request.amountMsat),
      description,
      Option_u32Z.constructor_some(Number(expiryDelta)),
      request.minFinalCltvExpiryDelta === null
        ? Option_u16Z.constructor_none()
        : Option_u16Z.constructor_some(request.minFinalCltvExpiryDelta),
      request.paymentHash === null
        ? Option_ThirtyTwoBytesZ.constructor_none()
        : Option_ThirtyTwoBytesZ.constructor_some(hexToBytes(request.paymentHash)),
    )
    if (!(created instanceof Result_Bolt11InvoiceSignOrCreationErrorZ_OK))
      throw new NodeError(
        'invalid',
        'LDK refuses to make this invoice: check its amount, expiry and final CLTV.',
      )
    return created.res
  }
  // LDK dates invoices by the last block's header, which is often an hour old: a short expiry counted from there would
  // be over at birth. So the first try tells LDK's time, and the second ends when it was asked to.
  const first = create(BigInt(request.expirySeconds))
  const endsAt = BigInt(Math.floor(node.now() / 1000) + request.expirySeconds)
  const expiryDelta = endsAt - first.duration_since_epoch()
  const invoice = expiryDelta <= BigInt(request.expirySeconds) ? first : create(expiryDelta)
  return { invoice: invoice.to_str(), paymentHash: toHex(invoice.payment_hash()) }
}

/** BOLT 11: "MUST include either exactly one d or exactly one h field". */
function describe({ description, descriptionHash }: InvoiceDescription): Bolt11InvoiceDescription {
  if ((description === undefined) === (descriptionHash === undefined))
    throw new NodeError('invalid', 'An invoice has either a description or the hash of one.')
  if (descriptionHash !== undefined) {
    checkHash(descriptionHash, 'A description hash')
    return Bolt11InvoiceDescription.constructor_hash(
      Sha256.constructor_from_bytes(hexToBytes(descriptionHash)),
    )
  }
  const text = Description.constructor_new(description)
  if (!(text instanceof Result_DescriptionCreationErrorZ_OK))
    throw new NodeError('invalid', 'The description is longer than BOLT 11 allows (639 bytes).')
  return Bolt11InvoiceDescription.constructor_direct(text.res)
}
