import { createHash } from 'node:crypto'
import type { Funding, Milestone, Task } from '@holdfast/client'
import { encodeInvoice, fieldOf } from '@holdfast/protocols/testing/bolt11-encoder'
import { secretKey } from '@holdfast/protocols/testing/points'
import { expect, test } from 'vitest'
import type { Scene } from './begin-escrow.ts'
import { lockMoney } from './lock-money.ts'

const WORKERS_NODE = 9
const OPERATORS_NODE = 8
const PAYOUT_MSAT = 10_000_000n
const FEE_MSAT = 101_000n
const FUNDING_MSAT = PAYOUT_MSAT + FEE_MSAT

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

const invoiceOf = (node: number, paymentHash: string, amountMsat: bigint) =>
  encodeInvoice({
    amountMsat,
    createdAt: 1_700_000_000_000,
    fields: [fieldOf.hex('p', paymentHash), fieldOf.hex('s', '22'.repeat(32)), fieldOf.description('My pay')],
    secretKey: secretKey(node),
  })

const HASH = hashOf('of the worker')

/** Everything that the money is locked with, as it should be but for `wrong`. */
function sceneWith(wrong: {
  funding?: string
  said?: Partial<Funding>
  terms?: Partial<Milestone>
  proof?: object
  state?: string
  ended?: object
}) {
  const steps: string[] = []
  const milestone = {
    payoutMsat: PAYOUT_MSAT,
    invoiceNeededUntil: Date.now() + 1_000,
    maxFinalCltv: 100,
    ...wrong.terms,
  }
  const device = {
    makeInvoice: async () => invoiceOf(WORKERS_NODE, HASH, PAYOUT_MSAT),
    findProof: async () => wrong.proof ?? null,
    balanceMsat: async () => 1n,
  }
  const funding = {
    invoice: wrong.funding ?? invoiceOf(OPERATORS_NODE, HASH, FUNDING_MSAT),
    payoutMsat: PAYOUT_MSAT,
    feeMsat: FEE_MSAT,
    ...wrong.said,
  }
  const escrow = {
    task: async () => ({ id: 'task-1', milestones: [milestone] }) as unknown as Task,
    submitInvoice: async () => undefined,
    fundMilestone: async () => ({ funding: null }),
  }
  const client = {
    escrow,
    pay: async () => ({ id: 'payment-1' }),
    waitForPayment: async () => wrong.ended ?? new Promise(() => undefined),
    getPayment: async () => ({ id: 'payment-1', nodePaymentId: 'id', state: wrong.state ?? 'sending' }),
  }
  const person = { device, client }
  const watch = {
    funding: async () => funding,
    reach: async () =>
      wrong.ended
        ? new Promise(() => undefined)
        : { heldMsat: FUNDING_MSAT, fundingMsat: FUNDING_MSAT, deadlines: null },
  }
  const tell = (step: string) => steps.push(step)
  const scene = { buyer: person, worker: person, tell, taskId: 'task-1', milestones: 1, watch }
  return { scene: scene as unknown as Scene, steps }
}

test('money is locked to the hash of the worker’s invoice', async () => {
  const { scene, steps } = sceneWith({})
  expect(await lockMoney(scene, 0)).toEqual({
    index: 0,
    fundingHash: HASH,
    payoutHash: HASH,
    heldMsat: FUNDING_MSAT,
    paymentId: 'payment-1',
  })
  expect(steps).toEqual(['escrow-invoice', 'escrow-funding', 'escrow-held'])
})

const NOT_LOCKED = 'ESCROW_NOT_HASH_LOCKED'

test.each<[string, Parameters<typeof sceneWith>[0], string]>([
  ['another hash', { funding: invoiceOf(OPERATORS_NODE, hashOf('of another'), FUNDING_MSAT) }, NOT_LOCKED],
  ['another amount', { funding: invoiceOf(OPERATORS_NODE, HASH, FUNDING_MSAT + 1n) }, NOT_LOCKED],
  ['a payout that was not asked for', { said: { payoutMsat: PAYOUT_MSAT + 1n } }, NOT_LOCKED],
  [
    'an invoice of the worker’s own node',
    { funding: invoiceOf(WORKERS_NODE, HASH, FUNDING_MSAT) },
    NOT_LOCKED,
  ],
  ['a milestone that takes no invoice', { terms: { invoiceNeededUntil: null } }, 'ESCROW_ENDED_OTHERWISE'],
  ['a proof of payment that is there already', { proof: { preimage: 'x' } }, 'ESCROW_NOT_HELD'],
  [
    'a payment that fails',
    { ended: { state: 'failed', error: { code: 'PAYMENT_NO_ROUTE' } } },
    'PAYMENT_NO_ROUTE',
  ],
  ['a payment that ends without a hold', { ended: { state: 'succeeded' } }, 'ESCROW_NOT_HELD'],
  ['a payment that has succeeded already', { state: 'succeeded' }, 'ESCROW_NOT_HELD'],
])('the story ends on %s', async (_, wrong, code) => {
  await expect(lockMoney(sceneWith(wrong).scene, 0)).rejects.toMatchObject({ code })
})
