import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChannelManager, PaymentFailureReason, RecentPaymentDetails } from 'lightningdevkit'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { PaymentFailure } from '../../ports.ts'
import { fromHex, toHex } from './bytes.ts'
import type { NodeContext } from './context.ts'
import type { EventData } from './node-events.ts'
import { Payments } from './payments.ts'
import { Store } from './store.ts'
import { loadWasm } from './wasm.ts'

const ID = '11'.repeat(32)
const HASH = '22'.repeat(32)
/** Held while something else is paid. */
const HELD = '44'.repeat(32)
const PREIMAGE = new Uint8Array(32).fill(3)
/** Good for an hour of September 2020. */
const INVOICE =
  'lnbcrt10n1p04uyqqdqdd3hkueeqv9nk7np4qf7lqwcm7e8fg4aay624g35ptjc69avdhvjcd0cgkururuefjw59zpp5s80sjus57wjfrmwm343t64rhskdaey0j4znkz3jlrurfp6m6xykqsp5cusp8f8xz6qeqsfz05jxv82ntnvtese6sgmumj2m8cgqs52jy7gq9qyysgqcqpcxqrrssnvr766xxdmhm4tspx7w3h2zka3vq42zzypzda27yc8pyd024rmdy7lqe3shtqaz8l07m92gjxnkdk7q5n2duvjewuumc380n07l7f0cql6fnqc'
const INVOICE_EXPIRES_AT = Date.UTC(2020, 9, 1)

describe('Payments', () => {
  let folder: string
  let store: Store
  let payments: Payments
  let now: number
  let height: number
  let abandoned: string[]
  let listed: RecentPaymentDetails[]
  let events: EventData[]
  const held = new Set<string>()
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }

  beforeAll(() => loadWasm())
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-payments-'))
    store = new Store(folder)
    ;[now, height, abandoned, listed, events] = [1_000, 700, [], [], []]
    held.clear()
    const manager: Pick<ChannelManager, 'abandon_payment' | 'list_recent_payments' | 'list_channels'> = {
      abandon_payment: (id) => {
        abandoned.push(toHex(id))
      },
      list_recent_payments: () => listed,
      list_channels: () => [],
    }
    const node: NodeContext = {
      ...{ store, log: quiet, network: 'regtest', nodeId: '02', now: () => now, height: () => height },
      manager: manager as ChannelManager,
      record: (event) => events.push(event),
    }
    payments = new Payments(node, { keepProofs: true, isHeld: (paymentHash) => held.has(paymentHash) })
  })
  afterEach(() => {
    store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const pending = (kind: 'bolt11' | 'bolt12', hash: string | null, deadlineAt = 2_000) =>
    store.run(
      "INSERT INTO payments (payment_id, payment_hash, kind, destination, amount_msat, max_cltv, deadline_at, state) VALUES (?, ?, ?, 'x', '5000', 1008, ?, 'pending')",
      ...[ID, hash, kind, deadlineAt],
    )

  test('a pending payment that LDK does not list after a start is unknown, and may still turn out well', () => {
    pending('bolt11', HASH)
    payments.reconcile()
    expect(payments.lookup(ID)).toEqual({ state: 'unknown' })
    payments.sent(ID, HASH, PREIMAGE, 7n)
    expect(payments.lookup(ID)).toEqual({
      state: 'succeeded',
      paymentHash: HASH,
      amountMsat: 5_000n,
      feeMsat: 7n,
    })
  })

  test('the cap on the CLTV of a route shrinks with the blocks since the payment began, and a reorganisation adds none', () => {
    pending('bolt11', HASH)
    expect(payments.maxTotalCltv(ID)).toBe(1_008)
    store.run('UPDATE payments SET begun_height = 700, max_cltv = 100')
    const caps = [700, 712, 694, 799, 900].map((at) => {
      height = at
      return payments.maxTotalCltv(ID)
    })
    expect(caps).toEqual([100, 88, 100, 1, 1])
    expect(payments.maxTotalCltv('99'.repeat(32))).toBe(1_008)
  })

  test.each([
    [null, false, true],
    [HELD, true, true],
    [HELD, false, false],
  ])('a payment for which %s must be held, and is (%s), may be sent: %s', (mustBeHeld, isHeld, maySend) => {
    pending('bolt11', HASH)
    store.run('UPDATE payments SET while_held = ?', mustBeHeld)
    if (isHeld) held.add(HELD)
    expect(payments.mayBeSent(ID)).toBe(maySend)
  })

  test('a pending payment that LDK lists stays pending', () => {
    pending('bolt12', null)
    listed = [RecentPaymentDetails.constructor_awaiting_invoice(fromHex(ID))]
    payments.reconcile()
    expect(payments.lookup(ID)).toEqual({ state: 'pending', paymentHash: null })
  })

  test('a payment whose time is over is abandoned once, and pending until LDK says what became of it', () => {
    pending('bolt11', HASH)
    payments.tick()
    expect(abandoned).toEqual([])
    now = 2_000
    payments.tick()
    payments.tick()
    expect(abandoned).toEqual([ID])
    expect(payments.lookup(ID)).toEqual({ state: 'pending', paymentHash: HASH })
    payments.sent(ID, HASH, PREIMAGE, 0n)
    expect(payments.lookup(ID)).toMatchObject({ state: 'succeeded' })
  })

  describe('one that waits for its channels', () => {
    const waiting = () => {
      pending('bolt11', HASH, 2_000)
      store.run("UPDATE payments SET destination = ?, waits = 1, max_fee_msat = '9'", INVOICE)
    }

    test('is not unknown after a start, though LDK has never heard of it', () => {
      waiting()
      payments.reconcile()
      payments.sendWaiting()
      expect(payments.lookup(ID)).toEqual({ state: 'pending', paymentHash: HASH })
    })

    test('has no route when its time is over, and LDK has nothing to abandon', () => {
      waiting()
      now = 2_000
      payments.tick()
      payments.sendWaiting()
      payments.sendWaiting()
      expect(payments.lookup(ID)).toEqual({ state: 'failed', paymentHash: HASH, reason: 'no-route' })
      expect([abandoned, events.length]).toEqual([[], 1])
    })

    test('is given up once its hash, which must be held, is not', () => {
      waiting()
      store.run('UPDATE payments SET while_held = ?', HELD)
      held.add(HELD)
      payments.sendWaiting()
      expect(payments.lookup(ID)).toMatchObject({ state: 'pending' })
      held.clear()
      payments.sendWaiting()
      expect(payments.lookup(ID)).toEqual({ state: 'failed', paymentHash: HASH, reason: 'abandoned' })
      expect([abandoned, events.length]).toEqual([[], 1])
    })

    test('fails as expired when its invoice has', () => {
      waiting()
      now = INVOICE_EXPIRES_AT
      payments.sendWaiting()
      expect(payments.lookup(ID)).toEqual({ state: 'failed', paymentHash: HASH, reason: 'expired' })
    })
  })

  test('the fee that LDK has forgotten is that of the paths that were sent and did not fail', () => {
    pending('bolt11', HASH)
    payments.pathsChanged(ID, 300n)
    payments.pathsChanged(ID, -120n)
    payments.pathsChanged(ID, 50n)
    payments.sent(ID, HASH, PREIMAGE, null)
    expect(payments.lookup(ID)).toMatchObject({ state: 'succeeded', feeMsat: 230n })
    expect(events).toMatchObject([{ kind: 'payment-succeeded', feeMsat: 230n }])
    payments.pathsChanged('33'.repeat(32), 1n)
    expect(payments.lookup('33'.repeat(32))).toBeNull()
  })

  test('an outcome heard twice is one outcome and one event; a success is never taken back', () => {
    pending('bolt11', HASH)
    payments.sent(ID, HASH, PREIMAGE, 7n)
    payments.sent(ID, HASH, PREIMAGE, 7n)
    payments.failed(ID, HASH, PaymentFailureReason.LDKPaymentFailureReason_RetriesExhausted)
    expect(payments.lookup(ID)).toMatchObject({ state: 'succeeded' })
    expect(events).toHaveLength(1)
    expect(payments.proof(ID)).toEqual({ paymentHash: HASH, preimage: toHex(PREIMAGE) })
  })

  test('what LDK reports of a payment that is not ours changes nothing', () => {
    payments.sent(ID, HASH, PREIMAGE, 7n)
    payments.failed(ID, HASH, null)
    expect(payments.lookup(ID)).toBeNull()
    expect(events).toEqual([])
  })

  test.each<[keyof typeof PaymentFailureReason, 'bolt11' | 'bolt12', string | null, PaymentFailure]>([
    ['LDKPaymentFailureReason_RecipientRejected', 'bolt11', HASH, 'rejected'],
    ['LDKPaymentFailureReason_UserAbandoned', 'bolt11', HASH, 'abandoned'],
    ['LDKPaymentFailureReason_UserAbandoned', 'bolt12', null, 'invoice-request-unanswered'],
    ['LDKPaymentFailureReason_RetriesExhausted', 'bolt11', HASH, 'retries-exhausted'],
    ['LDKPaymentFailureReason_PaymentExpired', 'bolt11', HASH, 'expired'],
    ['LDKPaymentFailureReason_RouteNotFound', 'bolt11', HASH, 'no-route'],
    ['LDKPaymentFailureReason_InvoiceRequestExpired', 'bolt12', null, 'invoice-request-unanswered'],
    ['LDKPaymentFailureReason_InvoiceRequestRejected', 'bolt12', null, 'invoice-request-rejected'],
    ['LDKPaymentFailureReason_UnknownRequiredFeatures', 'bolt11', HASH, 'other'],
    ['LDKPaymentFailureReason_UnexpectedError', 'bolt11', HASH, 'other'],
    ['LDKPaymentFailureReason_BlindedPathCreationFailed', 'bolt12', null, 'other'],
  ])('%s of a %s payment is a failure of its own name', (name, kind, hash, reason) => {
    pending(kind, hash)
    payments.failed(ID, hash, PaymentFailureReason[name])
    expect(payments.lookup(ID)).toEqual({ state: 'failed', paymentHash: hash, reason })
    expect(events).toEqual([{ kind: 'payment-failed', paymentId: ID, paymentHash: hash, reason }])
  })
})
