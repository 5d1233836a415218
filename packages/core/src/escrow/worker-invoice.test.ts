import { describe, expect, test } from 'vitest'
import { isRefusal } from '../refusals.ts'
import { decideEscrow } from './escrow-machine.ts'
import { invoiceNeededUntil } from './schedule.ts'
import { ask, invoice, NODE, only, PAYOUT_MSAT, reach, refundInvoice, START } from './testing/escrow-story.ts'
import type { InvoiceFacts } from './worker-invoice.ts'

const escrow = reach('awaiting-invoice')
const { holdBlocks, finalCltvCap } = only(escrow).terms
const neededUntil = invoiceNeededUntil(START.now, holdBlocks)
const submit = (facts: Partial<InvoiceFacts>) =>
  decideEscrow(escrow, { ...ask.invoice, invoice: invoice(facts) }, START)

describe('a worker’s invoice', () => {
  test.each<[string, Partial<InvoiceFacts>, string]>([
    ['for another network', { rightNetwork: false }, 'INVOICE_FOREIGN_CHAIN'],
    ['of our own node', { payee: NODE }, 'ESCROW_INVOICE_OF_OWN_NODE'],
    ['without an amount', { amountMsat: null }, 'ESCROW_INVOICE_AMOUNT_WRONG'],
    ['a millisatoshi short', { amountMsat: PAYOUT_MSAT - 1n }, 'ESCROW_INVOICE_AMOUNT_WRONG'],
    ['a millisatoshi over', { amountMsat: PAYOUT_MSAT + 1n }, 'ESCROW_INVOICE_AMOUNT_WRONG'],
    ['on a hash that was used', { hashIsNew: false }, 'ESCROW_INVOICE_HASH_USED'],
    ['that expires a moment too soon', { expiresAt: neededUntil - 1 }, 'ESCROW_INVOICE_EXPIRES_SOON'],
    ['with too long a final CLTV', { finalCltv: finalCltvCap + 1 }, 'ESCROW_INVOICE_CLTV_TOO_HIGH'],
  ])('%s is refused', (_what, facts, code) => {
    expect(submit(facts)).toMatchObject({ refused: code })
  })

  test('at the edge of every rule is accepted, and can be replaced until the milestone is funded', () => {
    const first = submit({ expiresAt: neededUntil, finalCltv: finalCltvCap })
    expect(isRefusal(first)).toBe(false)
    const again = { ...ask.invoice, invoice: invoice({ paymentHash: '77'.repeat(32) }) }
    const second = decideEscrow(reach('ready-to-fund'), again, START)
    expect(second).toMatchObject({ state: { milestones: [{ payee: { paymentHash: '77'.repeat(32) } }] } })
    expect(decideEscrow(reach('awaiting-funds'), again, START)).toMatchObject({
      refused: 'ESCROW_WRONG_PHASE',
    })
  })

  test('that has grown too old when the buyer funds is refused then', () => {
    const late = { ...START, now: invoice().expiresAt - (neededUntil - START.now) + 1 }
    expect(late.now).toBeGreaterThan(START.now)
    expect(
      decideEscrow({ ...reach('ready-to-fund'), deadlineAt: late.now + 1 }, ask.fund, late),
    ).toMatchObject({
      refused: 'ESCROW_INVOICE_EXPIRES_SOON',
    })
  })
})

describe('a buyer’s refund invoice', () => {
  const premature = reach('premature')
  test.each<[string, Partial<InvoiceFacts>, string]>([
    ['for less than is owed', { amountMsat: PAYOUT_MSAT }, 'ESCROW_INVOICE_AMOUNT_WRONG'],
    ['on a hash that was used', { hashIsNew: false }, 'ESCROW_INVOICE_HASH_USED'],
    ['that leaves no time', { expiresAt: START.now + 60_000 }, 'ESCROW_INVOICE_EXPIRES_SOON'],
  ])('%s is refused', (_what, facts, code) => {
    const request = { ...ask.refundInvoice, invoice: { ...refundInvoice(), ...facts } }
    expect(decideEscrow(premature, request, START)).toMatchObject({ refused: code })
  })
})
