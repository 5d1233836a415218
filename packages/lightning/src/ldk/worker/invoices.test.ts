import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { NodeContext } from './context.ts'
import { OrdinaryInvoices } from './invoices.ts'
import { Store } from './store.ts'

const DAY_MS = 24 * 3600_000
const [PAID, UNPAID] = ['aa'.repeat(32), 'bb'.repeat(32)]

let folder: string
let store: Store
let now: number
let invoices: OrdinaryInvoices

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-invoices-'))
  store = new Store(folder)
  now = 1_000
  invoices = new OrdinaryInvoices({ store, now: () => now } as NodeContext)
  for (const hash of [PAID, UNPAID])
    store.run(
      'INSERT INTO invoices (payment_hash, invoice, expires_at) VALUES (?, ?, ?)',
      hash,
      'lnbcrt1',
      2_000,
    )
  invoices.claimed(PAID, 5n)
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

test('an unpaid invoice is forgotten a month after it expired, a paid one never', () => {
  now = 2_000 + 30 * DAY_MS
  invoices.forgetUnpaid()
  expect(invoices.lookup(UNPAID)).toEqual({ state: 'expired' })
  now++
  invoices.forgetUnpaid()
  expect(invoices.lookup(UNPAID)).toBeNull()
  expect(invoices.lookup(PAID)).toEqual({ state: 'paid', amountMsat: 5n, paidAt: 1_000 })
})

test('an invoice is claimed once, and not by a payment of less than it asks for or more than twice that', () => {
  const asking = 'cc'.repeat(32)
  store.run("INSERT INTO invoices VALUES (?, 'lnbcrt1', '1000', 2000, NULL, NULL)", asking)
  expect([999n, 1_000n, 2_000n, 2_001n].map((msat) => invoices.accepts(asking, msat))).toEqual([
    ...[false, true, true, false],
  ])
  expect(invoices.accepts(UNPAID, 1n)).toBe(true)
  expect(invoices.accepts(PAID, 5n)).toBe(false)
  expect(invoices.accepts('dd'.repeat(32), 5n)).toBe(false)
})
