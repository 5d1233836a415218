import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AddressInvoice, GRACE_MS, hearNode, type NodeAnswer, PATIENCE_MS } from './address-invoice.ts'

const ASKED = 1_800_000_000_000
const EXPIRES = ASKED + 600_000
const open = {
  ...{ id: 'i', paymentHash: 'ab'.repeat(32), owner: 'cd'.repeat(32), user: 'alice', domain: 'shop.test' },
  ...{ invoice: 'lnbcrt1', amountMsat: 1_000n, comment: 'hi', payerData: null, zapRequest: null },
  ...{ requestedAt: ASKED, expiresAt: EXPIRES, phase: 'open', lookAt: ASKED + 5_000 },
} as AddressInvoice
const PAID: NodeAnswer = { state: 'paid', amountMsat: 1_001n, paidAt: ASKED + 9 }
const hear = (answer: NodeAnswer, now: number, invoice = open) => hearNode(invoice, answer, now)

test('what the node says was paid is paid, with what arrived, whenever it is heard', () => {
  const { phase: _, lookAt: __, ...terms } = open as Extract<AddressInvoice, { phase: 'open' }>
  const paid = { ...terms, phase: 'paid', paidAt: ASKED + 9, receivedMsat: 1_001n }
  expect(hear(PAID, ASKED + 10)).toEqual(paid)
  expect(hear(PAID, EXPIRES + PATIENCE_MS)).toEqual(paid)
  const late = hear({ state: 'expired' }, EXPIRES + GRACE_MS)
  expect(hear(PAID, EXPIRES + PATIENCE_MS, late)).toEqual(paid)
})

describe('an unpaid invoice', () => {
  test.each<[string, NodeAnswer, number, string]>([
    ['is open before it expires', { state: 'open' }, EXPIRES - 1, 'open'],
    [
      'is open within the grace, because an HTLC may be on its way',
      { state: 'expired' },
      EXPIRES + GRACE_MS - 1,
      'open',
    ],
    ['is expired after the grace', { state: 'expired' }, EXPIRES + GRACE_MS, 'expired'],
    [
      'is expired after the grace also if the node calls it open',
      { state: 'open' },
      EXPIRES + GRACE_MS,
      'expired',
    ],
    ['is asked about for a week when the node is silent', 'silent', EXPIRES + PATIENCE_MS - 1, 'open'],
    ['is unknown after that', 'silent', EXPIRES + PATIENCE_MS, 'unknown'],
    ['is unknown when the node has lost it', 'never-heard-of', EXPIRES + GRACE_MS, 'unknown'],
  ])('%s', (_, answer, now, phase) => {
    expect(hear(answer, now).phase).toBe(phase)
  })

  test('is not looked at anew because somebody asked between two looks', () => {
    expect(hear({ state: 'open' }, ASKED + 4_999)).toBe(open)
    expect(hear('silent', ASKED + 4_999)).toBe(open)
  })

  test.each([
    [5_000, 5_000],
    [9_000, 5_000],
    [20_000, 10_000],
    [600_000, 300_000],
    [10 * 3600_000, 1_800_000],
  ])('is looked at %d ms after it was asked for, and then %d ms later', (age, pause) => {
    expect(hear('silent', ASKED + age)).toMatchObject({ lookAt: ASKED + age + pause })
  })

  test('is looked at fewer than 30 times in all when the node answers', () => {
    let now = ASKED
    let looks = 0
    for (let state = open; state.phase === 'open'; looks++) {
      now = state.lookAt
      state = hear({ state: now < EXPIRES ? 'open' : 'expired' }, now, state)
    }
    expect(looks).toBeLessThan(30)
  })
})

test('an end is kept: only a payment changes it, and a payment nothing', () => {
  const answers: fc.Arbitrary<NodeAnswer> = fc.constantFrom(
    PAID,
    { state: 'paid', amountMsat: 5n, paidAt: 5 } as const,
    { state: 'open' } as const,
    { state: 'expired' } as const,
    'silent' as const,
    'never-heard-of' as const,
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(answers, fc.nat(2 * PATIENCE_MS))), (heard) => {
      let state = open
      for (const [answer, after] of heard) {
        const next = hear(answer, ASKED + after, state)
        if (state.phase === 'paid') expect(next).toBe(state)
        else if (state.phase !== 'open') expect([state.phase, 'paid']).toContain(next.phase)
        expect(hear(answer, ASKED + after, next)).toEqual(next)
        state = next
      }
    }),
  )
})
