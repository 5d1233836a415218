import { closeSync, fdatasync, fdatasyncSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { openPrivate } from '../../file-lock.ts'
import { NodeError } from '../../ports.ts'
import { isFileFault } from './faults.ts'

const SQLITE_BUSY = 5
/** Applied in order; `user_version` counts those that were. Never change one that was released. */
export const MIGRATIONS = [
  `
CREATE TABLE identity (one INTEGER PRIMARY KEY CHECK (one = 1), node_id TEXT NOT NULL, network TEXT NOT NULL) STRICT;
CREATE TABLE manager (one INTEGER PRIMARY KEY CHECK (one = 1), bytes BLOB NOT NULL) STRICT;
CREATE TABLE monitors (outpoint TEXT PRIMARY KEY, bytes BLOB NOT NULL, archived INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE peers (node_id TEXT PRIMARY KEY, host TEXT NOT NULL, port INTEGER NOT NULL) STRICT;
CREATE TABLE node_events (cursor INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL,
  data TEXT NOT NULL) STRICT;
CREATE TABLE invoices (payment_hash TEXT PRIMARY KEY, invoice TEXT NOT NULL, amount_msat TEXT, expires_at INTEGER NOT NULL,
  paid_msat TEXT, paid_at INTEGER) STRICT;
CREATE TABLE holds (payment_hash TEXT PRIMARY KEY, invoice TEXT NOT NULL, amount_msat TEXT NOT NULL,
  request TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('open','held','settling','settled','cancelled')),
  held_msat TEXT, claim_deadline INTEGER) STRICT;
CREATE TABLE offers (offer_id TEXT PRIMARY KEY, issuer_id TEXT NOT NULL UNIQUE, ldk_offer_id TEXT NOT NULL UNIQUE,
  offer TEXT NOT NULL, amount_msat TEXT, enabled INTEGER NOT NULL, created_at INTEGER NOT NULL) STRICT;
CREATE TABLE payments (payment_id TEXT PRIMARY KEY, payment_hash TEXT, kind TEXT NOT NULL, destination TEXT NOT NULL,
  amount_msat TEXT NOT NULL, max_cltv INTEGER NOT NULL, deadline_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending','succeeded','failed','unknown')), fee_msat TEXT, reason TEXT,
  timed_out INTEGER NOT NULL DEFAULT 0, preimage TEXT) STRICT;
CREATE INDEX payments_by_hash ON payments (payment_hash);
CREATE INDEX payments_pending ON payments (state) WHERE state = 'pending';
CREATE TABLE wallet_keys (one INTEGER PRIMARY KEY CHECK (one = 1), next_index INTEGER NOT NULL) STRICT;
CREATE TABLE coins (outpoint TEXT PRIMARY KEY, amount_sat INTEGER NOT NULL, key_index INTEGER NOT NULL,
  height INTEGER NOT NULL, spent_by TEXT, spent_height INTEGER) STRICT;
CREATE TABLE broadcasts (txid TEXT PRIMARY KEY, raw BLOB NOT NULL, since_height INTEGER NOT NULL,
  confirmed_height INTEGER) STRICT;
CREATE TABLE sweeps (outpoint TEXT PRIMARY KEY, descriptor BLOB NOT NULL, amount_sat INTEGER NOT NULL,
  signed_height INTEGER, swept_height INTEGER) STRICT;
`,
  // LDK reports a claim again after a restart, so what was received is remembered by its hash.
  `
CREATE TABLE receipts (payment_hash TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
INSERT INTO receipts SELECT json_extract(data, '$.paymentHash'), MIN(at) FROM node_events
  WHERE kind = 'payment-received' GROUP BY 1;
`,
  // LDK forgets the fee of a payment that was given up and succeeds all the same, as one to a hold invoice does.
  `
ALTER TABLE payments ADD COLUMN sent_fee_msat TEXT NOT NULL DEFAULT '0';
`,
  // Strangers have invoices made at a Lightning Address; those that nobody paid are found and forgotten.
  `
CREATE INDEX IF NOT EXISTS invoices_unpaid ON invoices (expires_at) WHERE paid_msat IS NULL;
`,
  // A hold whose channel was closed is claimed by a transaction: `on_chain` are the values of its HTLCs in satoshi, as
  // JSON, and `won_height` the block since which the claim is in one.
  `
ALTER TABLE holds ADD COLUMN on_chain TEXT;
ALTER TABLE holds ADD COLUMN won_height INTEGER;
`,
  // BIP-353 names: which a payment is made to, and of which domain one must be named to be paid by an offer.
  `
ALTER TABLE payments ADD COLUMN payee TEXT;
ALTER TABLE offers ADD COLUMN payee_domain TEXT;
`,
  // A cap on a route's CLTV is counted from the height at which its payment began; null: before this was kept.
  `
ALTER TABLE payments ADD COLUMN begun_height INTEGER;
`,
  // Until its channels are back a payment waits, with all that LDK will be told.
  `
ALTER TABLE payments ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE payments ADD COLUMN max_fee_msat TEXT NOT NULL DEFAULT '0';
ALTER TABLE payments ADD COLUMN payer_note TEXT;
`,
  // What has changed in a monitor since it was written whole.
  `
CREATE TABLE monitor_updates (outpoint TEXT NOT NULL, id INTEGER NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY (outpoint, id)) STRICT;
`,
  // How far the events of the node are acknowledged (null: never), and how far they are forgotten.
  `
CREATE TABLE event_log (one INTEGER PRIMARY KEY CHECK (one = 1), acknowledged INTEGER,
  forgotten INTEGER NOT NULL, forgotten_at INTEGER NOT NULL) STRICT;
INSERT INTO event_log VALUES (1, NULL, 0, 0);
`,
  // A claim of a hold is followed until nobody can undo it, and may be lost. Which channel one is in that was on its way
  // to the chain is not known any more: none that is open.
  `
ALTER TABLE holds RENAME TO holds_before;
CREATE TABLE holds (payment_hash TEXT PRIMARY KEY, invoice TEXT NOT NULL, amount_msat TEXT NOT NULL,
  request TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('open','held','settling','settled','cancelled','lost')),
  held_msat TEXT, claim_deadline INTEGER) STRICT;
INSERT INTO holds SELECT payment_hash, invoice, amount_msat, request, state, held_msat, claim_deadline FROM holds_before;
CREATE TABLE claims (payment_hash TEXT PRIMARY KEY, claim TEXT NOT NULL) STRICT;
INSERT INTO claims SELECT payment_hash, json_object('channels', json_array(''), 'onChain', 0, 'takenAt', json_array(),
  'decidedAt', won_height) FROM holds_before WHERE state = 'settling' AND on_chain IS NOT NULL;
DROP TABLE holds_before;
`,
  // The payment hash that must be held for a payment to be sent.
  `
ALTER TABLE payments ADD COLUMN while_held TEXT;
`,
]

/** A node's file is its money: nobody may be tempted to make a new one, or to put an old one in its place. */
function unreadable(file: string, cause: unknown): NodeError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new NodeError('invalid', `${file} cannot be read: ${why}. Do not delete or replace it.`, { cause })
}

/** SQLite keeps it until the database is closed; its commits are in it, and no lock. */
const LOG = 'node.sqlite-wal'

type Value = string | number | bigint | null | Uint8Array

/**
 * A node's one SQLite file. Everything that a turn changes (monitors, manager, events, payments, coins) is committed
 * in one transaction, because LDK force-closes when its manager is older than a monitor, and forgets an event once
 * the manager was persisted without it. EXCLUSIVE locking is the fence: a second process cannot open the file.
 *
 * A commit is written to SQLite's write-ahead log, and `sync` brings that to the disk: what `synchronous=FULL` does
 * within the commit, but without holding up the thread.
 */
export class Store {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #log: number
  #open = false
  #syncing = 0
  #closed = false

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const file = join(folder, 'node.sqlite')
    this.#db = openPrivate(file)
    try {
      this.#db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
      this.#db.exec('BEGIN IMMEDIATE')
      const version = this.#db.prepare('PRAGMA user_version').get()?.user_version
      if (typeof version !== 'number' || version > MIGRATIONS.length)
        throw new NodeError(
          'invalid',
          `${folder} was written by a newer version of Holdfast (schema ${version}).`,
        )
      for (const migration of MIGRATIONS.slice(version)) this.#db.exec(migration)
      this.#db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`)
      this.#db.exec('COMMIT')
      // From here on `sync` does it. Before a checkpoint, and when the log begins anew, SQLite does it all the same.
      this.#db.exec('PRAGMA synchronous = NORMAL')
      this.#log = openSync(join(folder, LOG), 'r+')
    } catch (cause) {
      this.#db.close()
      if ((cause as { errcode?: number }).errcode === SQLITE_BUSY)
        throw new NodeError('conflict', `Another process has the node in ${folder} open.`, { cause })
      if (isFileFault(cause)) throw unreadable(file, cause)
      throw cause
    }
  }

  /** Rows that a statement answers. */
  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[]
  }

  get<Row>(sql: string, ...values: Value[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined
  }

  /** Changes rows within the turn's transaction, which it begins when none is open. */
  run(sql: string, ...values: Value[]): number {
    if (!this.#open) {
      this.#db.exec('BEGIN IMMEDIATE')
      this.#open = true
    }
    return Number(this.#prepare(sql).run(...values).changes)
  }

  get dirty(): boolean {
    return this.#open
  }

  /** Answers whether there was anything. Whoever reads sees it; a loss of power still undoes it, until `sync`. */
  commit(): boolean {
    if (!this.#open) return false
    this.#db.exec('COMMIT')
    this.#open = false
    return true
  }

  /** Resolves when everything committed before is on the disk: then what the turn said may leave the machine. */
  sync(): Promise<void> {
    this.#syncing++
    return new Promise((resolve, reject) => {
      fdatasync(this.#log, (error) => {
        this.#syncing--
        this.#closeLog()
        if (error) reject(error)
        else resolve()
      })
    })
  }

  /** The same, on this thread. */
  syncNow(): void {
    fdatasyncSync(this.#log)
  }

  /** An open transaction is rolled back. */
  close(): void {
    this.#closed = true
    this.#db.close()
    this.#closeLog()
  }

  #closeLog(): void {
    if (this.#closed && this.#syncing === 0) closeSync(this.#log)
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}
