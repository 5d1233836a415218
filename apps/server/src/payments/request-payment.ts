import { createHash, randomUUID } from 'node:crypto'
import { isRefusal, parseMsat, type Refusal, refuse } from '@holdfast/core'
import { parseMaxFee } from '@holdfast/core/payments/payment-amount'
import { decidePayment } from '@holdfast/core/payments/payment-machine'
import type { PaymentRequest, PaymentState } from '@holdfast/core/payments/payment-states'
import type { Hex } from '@holdfast/lightning'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { Transaction } from '../platform/transaction.ts'
import { parseDestination } from './parse-destination.ts'
import { keepNew } from './payment-saga.ts'

export type RequestDeps = { nodes: NodeDirectory; clock: () => number; deadlineMs: number }

export type PaymentWish = {
  to: string
  amountMsat?: string | undefined
  maxFeeMsat?: string | undefined
}

/** Checks a payment and starts it; all in the caller's transaction. */
export async function requestPayment(
  deps: RequestDeps,
  tx: Transaction,
  owner: Hex,
  wish: PaymentWish,
): Promise<PaymentState | Refusal> {
  const now = deps.clock()
  const amountMsat = wish.amountMsat === undefined ? undefined : parseMsat(wish.amountMsat)
  if (isRefusal(amountMsat)) return amountMsat
  const maxFeeMsat = wish.maxFeeMsat === undefined ? undefined : parseMaxFee(wish.maxFeeMsat)
  if (isRefusal(maxFeeMsat)) return maxFeeMsat
  const node = await deps.nodes.nodeOf(owner)
  if (node === null) return refuse('NODE_NOT_CONNECTED')
  if (node.payer === undefined) return refuse('NODE_CANNOT', { capability: 'pay' })
  const destination = parseDestination(wish.to, { network: node.network, now })
  if (isRefusal(destination)) return destination
  if (destination.kind === 'name' && amountMsat === undefined) return refuse('AMOUNT_REQUIRED')

  const id = randomUUID()
  const request: PaymentRequest = {
    kind: 'request',
    id,
    nodePaymentId: nodePaymentIdOf(id),
    owner,
    to: wish.to.trim(),
    destination,
    deadlineAt: now + deps.deadlineMs,
    ...(amountMsat !== undefined && { amountMsat }),
    ...(maxFeeMsat !== undefined && { maxFeeMsat }),
  }
  const decision = decidePayment(null, request, now)
  if (isRefusal(decision)) return decision
  await keepNew(tx, decision, request, now)
  return decision.state
}

/** 32 bytes under which the node knows this payment and pays it once. */
export function nodePaymentIdOf(id: string): Hex {
  return createHash('sha256').update(`holdfast payment ${id}`).digest('hex')
}
