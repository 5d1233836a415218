import type { FastifyRequest } from 'fastify'
import type { Identity } from '../identity/identity.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import { makeMemoryRateLimiter, type RateLimiter } from '../platform/http/rate-limiter.ts'
import type { Task } from '../platform/jobs.ts'
import type { Transact } from '../platform/transaction.ts'
import type { FindActive } from './active-name.ts'
import { findInvoice } from './address-invoice-store.ts'
import { addAddressInvoiceRoutes } from './address-invoices.rest.ts'
import { type AddressTerms, DEFAULT_TERMS } from './address-terms.ts'
import { addLightningAddressRoutes } from './lightning-address.rest.ts'
import { LOOK, makeLookTask, PUBLISH_RECEIPT, sweepInvoices } from './look-at-invoice.ts'
import { addNameQrRoute } from './name-qr.rest.ts'
import { publishReceipt, type ZapReceipts } from './zaps.ts'

export type LightningAddressSlice = {
  /** For the worker. */
  readonly tasks: Record<string, Task>
  routes(app: App): void
  /** Looks at invoices whose job was lost; run it at boot and every minute. Answers how many. */
  sweep(): Promise<number>
}

const SENDER_PER_MINUTE = 60
const NAME_PER_MINUTE = 120
const UNLIMITED: RateLimiter = { consume: async () => undefined }

/** Every active name as a Lightning Address; the node of its owner makes the invoices. */
export function makeLightningAddressSlice(deps: {
  transact: Transact
  database: Pick<OpenDatabase, 'db'>
  identity: Pick<Identity, 'authenticate'>
  nodes: NodeDirectory
  findActive: FindActive
  askedDomain(request: FastifyRequest): string
  /** Where wallets reach this server. */
  publicUrl: string
  clock: () => number
  /** Absent or null: no zaps, and the answers do not promise any. */
  zaps?: ZapReceipts | null
  terms?: Partial<AddressTerms>
  /** How long a payer waits for the node. Default 5 s. */
  nodeTimeoutMs?: number
  /** Null: no limits. */
  perMinute?: { sender: number; name: number } | null
}): LightningAddressSlice {
  const { zaps = null, perMinute = { sender: SENDER_PER_MINUTE, name: NAME_PER_MINUTE } } = deps
  const limiter = (who: 'sender' | 'name') =>
    perMinute ? makeMemoryRateLimiter({ points: perMinute[who], seconds: 60 }) : UNLIMITED
  return {
    tasks: {
      [LOOK]: makeLookTask(deps),
      [PUBLISH_RECEIPT]: async ({ paymentHash }) => {
        const invoice = await findInvoice(deps.database.db, String(paymentHash))
        if (zaps && invoice) await publishReceipt(zaps, invoice)
      },
    },
    routes(app) {
      addLightningAddressRoutes(app, {
        ...deps,
        zaps,
        terms: { ...DEFAULT_TERMS, ...deps.terms },
        perSender: limiter('sender'),
        perName: limiter('name'),
      })
      addAddressInvoiceRoutes(app, deps)
      addNameQrRoute(app, deps)
    },
    sweep: () => sweepInvoices(deps),
  }
}
