import { WILDCARD } from '@holdfast/core/names/name'
import { type Insertable, type Kysely, type Selectable, sql } from 'kysely'
import type { Database } from '../platform/database.ts'
import { comesAfter, type PagePosition } from '../platform/page-cursor.ts'
import type { AddressInvoice, InvoicePhase } from './address-invoice.ts'
import type { AddressInvoiceTables } from './address-invoice-tables.ts'

type Row = Selectable<AddressInvoiceTables['address_invoice']>

/** Unless as many as may wait at what answers for the name wait already; says whether. Those of one name take turns. */
export async function insertInvoice(
  db: Kysely<Database>,
  invoice: AddressInvoice,
  { answeredBy, most }: { answeredBy: string; most: number },
): Promise<boolean> {
  const { domain, requestedAt } = invoice
  const row: Insertable<AddressInvoiceTables['address_invoice']> = {
    id: invoice.id,
    payment_hash: invoice.paymentHash,
    owner: invoice.owner,
    user_part: invoice.user,
    domain,
    invoice: invoice.invoice,
    amount_msat: invoice.amountMsat,
    comment: invoice.comment,
    payer_data: invoice.payerData && JSON.stringify(invoice.payerData),
    zap_request: invoice.zapRequest,
    requested_at: new Date(requestedAt),
    expires_at: new Date(invoice.expiresAt),
    ...phaseColumns(invoice),
  }
  const { numAffectedRows } = await sql`
    insert into address_invoice (${sql.join(Object.keys(row).map((column) => sql.ref(column)))})
    select ${sql.join(Object.values(row))}
    where address_has_room(${domain}, ${answeredBy}, ${new Date(requestedAt)}, ${most})`.execute(db)
  return numAffectedRows === 1n
}

export async function updatePhase(db: Kysely<Database>, invoice: AddressInvoice): Promise<void> {
  await db
    .updateTable('address_invoice')
    .set(phaseColumns(invoice))
    .where('id', '=', invoice.id)
    .executeTakeFirstOrThrow()
}

/** Locks the row until the transaction ends. */
export async function lockInvoice(db: Kysely<Database>, paymentHash: string): Promise<AddressInvoice | null> {
  const row = await db
    .selectFrom('address_invoice')
    .selectAll()
    .where('payment_hash', '=', paymentHash)
    .forUpdate()
    .executeTakeFirst()
  return row ? invoiceOf(row) : null
}

export async function findInvoice(db: Kysely<Database>, paymentHash: string): Promise<AddressInvoice | null> {
  const row = await db
    .selectFrom('address_invoice')
    .selectAll()
    .where('payment_hash', '=', paymentHash)
    .executeTakeFirst()
  return row ? invoiceOf(row) : null
}

/** Invoices of a registration that could still be paid; of a wildcard those of all names of its domain. */
export async function countOpen(
  db: Kysely<Database>,
  { answeredBy, domain }: { answeredBy: string; domain: string },
  now: number,
): Promise<number> {
  let query = db
    .selectFrom('address_invoice')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('domain', '=', domain)
    .where('phase', '=', 'open')
    .where('expires_at', '>', new Date(now))
  if (answeredBy !== WILDCARD) query = query.where('user_part', '=', answeredBy)
  return Number((await query.executeTakeFirstOrThrow()).count)
}

/** An owner's, newest first. */
export async function listInvoices(
  db: Kysely<Database>,
  page: { owner: string; phase: AddressInvoice['phase'] | null; limit: number; after: PagePosition | null },
): Promise<AddressInvoice[]> {
  let query = db
    .selectFrom('address_invoice')
    .selectAll()
    .where('owner', '=', page.owner)
    .orderBy('requested_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
  if (page.phase) query = query.where('phase', '=', page.phase)
  if (page.after) query = query.where(comesAfter(page.after))
  return (await query.execute()).map(invoiceOf)
}

export type Due = { readonly id: string; readonly paymentHash: string; readonly lookAt: Date }

/** Those to look at before `dueBefore`, longest due first. */
export async function findDue(
  db: Kysely<Database>,
  page: { dueBefore: number; limit: number; after: Due | null },
): Promise<Due[]> {
  let query = db
    .selectFrom('address_invoice')
    .select(['id', 'payment_hash as paymentHash', 'look_at as lookAt'])
    .where('look_at', '<', new Date(page.dueBefore))
    .orderBy('look_at')
    .orderBy('id')
    .limit(page.limit)
  if (page.after)
    query = query.where(
      sql<boolean>`(look_at, id) > (${page.after.lookAt}::timestamptz, ${page.after.id}::uuid)`,
    )
  return (await query.execute()) as Due[]
}

/** Deletes what ended unpaid before `endedBefore`, and what payers said with payments before `paidBefore`. */
export async function forget(
  db: Kysely<Database>,
  { endedBefore, paidBefore }: { endedBefore: number; paidBefore: number },
): Promise<void> {
  await db
    .deleteFrom('address_invoice')
    .where('phase', 'in', ['expired', 'unknown'])
    .where('expires_at', '<', new Date(endedBefore))
    .execute()
  await db
    .updateTable('address_invoice')
    .set({ comment: null, payer_data: null, zap_request: null })
    .where('phase', '=', 'paid')
    .where('paid_at', '<', new Date(paidBefore))
    .where((eb) =>
      eb.or([
        eb('comment', 'is not', null),
        eb('payer_data', 'is not', null),
        eb('zap_request', 'is not', null),
      ]),
    )
    .execute()
}

function phaseColumns(invoice: AddressInvoice) {
  const paid = invoice.phase === 'paid' ? invoice : null
  return {
    phase: invoice.phase,
    paid_at: paid && new Date(paid.paidAt),
    received_msat: paid ? paid.receivedMsat : null,
    look_at: invoice.phase === 'open' ? new Date(invoice.lookAt) : null,
  }
}

function invoiceOf(row: Row): AddressInvoice {
  return {
    id: row.id,
    paymentHash: row.payment_hash,
    owner: row.owner,
    user: row.user_part,
    domain: row.domain,
    invoice: row.invoice,
    amountMsat: row.amount_msat,
    comment: row.comment,
    payerData: row.payer_data,
    zapRequest: row.zap_request,
    requestedAt: row.requested_at.getTime(),
    expiresAt: row.expires_at.getTime(),
    ...phaseOf(row),
  }
}

/** The checks of the table promise what each phase has. */
function phaseOf({ phase, paid_at, received_msat, look_at }: Row): InvoicePhase {
  switch (phase) {
    case 'open':
      return { phase, lookAt: (look_at as Date).getTime() }
    case 'paid':
      return { phase, paidAt: (paid_at as Date).getTime(), receivedMsat: received_msat as bigint }
    case 'expired':
    case 'unknown':
      return { phase }
  }
}
