import { createHash, randomUUID } from 'node:crypto'
import { isRefusal, parseMsat, type Refusal, refuse } from '@holdfast/core'
import { parseMaxFee } from '@holdfast/core/payments/payment-amount'
import type { Fallback, PaymentRequest, PaymentState } from '@holdfast/core/payments/payment-states'
import type { Hex, LightningNode } from '@holdfast/lightning'
import { type AskNodes, connectedNode } from '../nodes/connected-node.ts'
import type { Transaction } from '../platform/transaction.ts'
import { destinationOf } from './ask-payer.ts'
import { type Destination, parseDestination } from './parse-destination.ts'
import { startPayment } from './payment-saga.ts'
import { type NameResolver, payableOfName } from './resolve-destination.ts'
import { takeNote } from './take-note.ts'

export type RequestDeps = AskNodes & {
  resolver: Pick<NameResolver, 'remembered'>
  clock: () => number
  /** How long after the request the node may still be asked to pay, and may go on trying. */
  deadlineMs: number
}

export type PaymentWish = {
  /** BIP-353 name, BOLT 12 offer, BOLT 11 invoice or BIP-321 URI. */
  to: string
  /** Decimal millisatoshi. Absent: what the destination asks. */
  amountMsat?: string | undefined
  /** Decimal millisatoshi. Absent: 1 %, at least 10 satoshi. */
  maxFeeMsat?: string | undefined
  /** A message to the payee. */
  note?: string | undefined
  /** How else a name may be resolved. */
  fallback?: Fallback | undefined
}

/** Keeps the intention to pay, with its first job, in the caller's transaction; the node reads what it may be asked to pay. */
export async function requestPayment(
  deps: RequestDeps,
  tx: Transaction,
  owner: Hex,
  wish: PaymentWish,
): Promise<PaymentState | Refusal> {
  const amountMsat = wish.amountMsat === undefined ? undefined : parseMsat(wish.amountMsat)
  if (isRefusal(amountMsat)) return amountMsat
  const maxFeeMsat = wish.maxFeeMsat === undefined ? undefined : parseMaxFee(wish.maxFeeMsat)
  if (isRefusal(maxFeeMsat)) return maxFeeMsat
  const node = await payingNode(deps, owner)
  if (isRefusal(node)) return node
  const now = deps.clock()
  const parsed = parseDestination(wish.to, node, now)
  if (isRefusal(parsed)) return parsed
  const taken = parsed.kind === 'name' ? parsed : takeNote(parsed, wish.note)
  if (isRefusal(taken)) return taken
  const destination = withWhatIsKnown(taken, wish, deps, node)
  const payable = destination.kind === 'name' ? destination.proven?.payable : destination
  if (payable) node.payer?.expect?.(destinationOf({ payable, note: wish.note }))

  const id = randomUUID()
  return startPayment(
    tx,
    {
      kind: 'request',
      id,
      ...nodePaymentIdsOf(id),
      nodeId: node.nodeId,
      owner,
      to: wish.to,
      destination,
      ...(amountMsat !== undefined && { amountMsat }),
      ...(maxFeeMsat !== undefined && { maxFeeMsat }),
      ...(wish.note !== undefined && { note: wish.note }),
      deadlineAt: now + deps.deadlineMs,
    },
    now,
  )
}

/** A payment is given to the node at most so often, each time under another id. */
const MOST_TRIES = 3

/** The ids under which the payer's node knows the payment; ours alone leads to them, so no other payment can bear them. */
function nodePaymentIdsOf(id: string): { nodePaymentId: Hex; spareNodePaymentIds: Hex[] } {
  const idOf = (text: string) => createHash('sha256').update(`holdfast-payment-1:${text}`).digest('hex')
  const spare = Array.from({ length: MOST_TRIES - 1 }, (_, index) => idOf(`${id}:${index + 2}`))
  return { nodePaymentId: idOf(id), spareNodePaymentIds: spare }
}

/** What is remembered of a name and can be paid goes with the request; all else is for the job that resolves it. */
function withWhatIsKnown(
  destination: Destination,
  { fallback, note }: PaymentWish,
  { resolver, clock }: RequestDeps,
  node: LightningNode,
): PaymentRequest['destination'] {
  if (destination.kind !== 'name') return destination
  const toResolve = { ...destination, ...(fallback !== undefined && { fallback }) }
  const known = resolver.remembered(destination.name)
  if (known === null) return toResolve
  const payable = payableOfName(known, { node, note }, clock())
  return isRefusal(payable) ? toResolve : { ...toResolve, proven: { payable, expiresAt: known.expiresAt } }
}

async function payingNode(asking: AskNodes, owner: Hex): Promise<LightningNode | Refusal> {
  const node = await connectedNode(asking, owner)
  if (isRefusal(node)) return node
  return node.payer === undefined ? refuse('NODE_CANNOT', { capability: 'pay' }) : node
}
