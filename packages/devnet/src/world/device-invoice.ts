import { NodeError } from '@holdfast/lightning'
import type { LdkNode } from '@holdfast/lightning/ldk'

export type DeviceAnswer = { readonly status: number; readonly body: unknown }

type Wish = {
  readonly amountMsat: bigint
  readonly description: string
  readonly expirySeconds: number
  /** Of a secret that the user has; absent: the wallet makes one. */
  readonly paymentHash?: string
}

/** Of a wallet's hold invoice on a hash of its user's: more than BOLT 11's default of 18, less than any escrow's cap. */
const FINAL_CLTV_BLOCKS = 40

/**
 * The user's wallet makes an invoice. `body`: JSON of `amountMsat` (decimal string), `description`, `expirySeconds` and,
 * for an invoice on a hash of the user's own, `paymentHash`. Answers `{ invoice, paymentHash }`; 400 when the wallet
 * does not take it.
 */
export async function makeDeviceInvoice(
  node: Pick<LdkNode, 'invoices' | 'holdInvoices'>,
  body: string,
): Promise<DeviceAnswer> {
  const wish = readWish(body)
  if (wish === null) return { status: 400, body: { error: 'The body is not a wish for an invoice.' } }
  const { paymentHash, ...asked } = wish
  try {
    if (paymentHash === undefined) return { status: 200, body: await node.invoices.create(asked) }
    const request = { ...asked, paymentHash, minFinalCltvExpiryDelta: FINAL_CLTV_BLOCKS }
    const { invoice } = await node.holdInvoices.create(request)
    return { status: 200, body: { invoice, paymentHash } }
  } catch (error) {
    if (!(error instanceof NodeError) || error.code === 'offline') throw error
    return { status: 400, body: { error: error.message } }
  }
}

function readWish(body: string): Wish | null {
  let given: Partial<Record<keyof Wish, unknown>> | null
  try {
    given = JSON.parse(body)
  } catch {
    return null
  }
  const { amountMsat, description, expirySeconds, paymentHash } = given ?? {}
  if (typeof amountMsat !== 'string' || !/^[1-9][0-9]{0,18}$/.test(amountMsat)) return null
  if (typeof description !== 'string' || !Number.isSafeInteger(expirySeconds)) return null
  const wish = { amountMsat: BigInt(amountMsat), description, expirySeconds: expirySeconds as number }
  if (paymentHash === undefined) return wish
  if (typeof paymentHash !== 'string' || !/^[0-9a-f]{64}$/.test(paymentHash)) return null
  return { ...wish, paymentHash }
}
