// The worker that the kill test of what waits kills: names and merchants' domains, at edges that the test simulates.
import { createInterface } from 'node:readline'
import { isRefusal } from '@holdfast/core'
import { type DnsZone, DnsZoneError, type DnsZoneErrorCode, type TxtRecord } from '@holdfast/core/dns-zone'
import { type LightningNode, NodeError, type NodeErrorCode } from '@holdfast/lightning'
import type { TxtResolution } from '@holdfast/protocols/dnssec'
import { claimOwnDomain } from '@holdfast/server/domains/claim-domain'
import { requestDomain } from '@holdfast/server/domains/domain-saga'
import { lockDomain } from '@holdfast/server/domains/domain-store'
import { makeDomainsSlice } from '@holdfast/server/domains/domains-slice'
import {
  acceptTransfer,
  changeOffer,
  proposeTransfer,
  releaseName,
  resumeName,
  suspendName,
} from '@holdfast/server/names/change-name'
import { DEFAULT_RULES } from '@holdfast/server/names/name-rules'
import { makeNamesSlice } from '@holdfast/server/names/names-slice'
import { registerName } from '@holdfast/server/names/register-name'
import type { ResolveFresh } from '@holdfast/server/names/validate-chain'
import { openDatabase } from '@holdfast/server/platform/database'
import { startDispatch } from '@holdfast/server/platform/dispatch'
import { startWorker } from '@holdfast/server/platform/jobs'
import { makeLog } from '@holdfast/server/platform/log'
import { repeat } from '@holdfast/server/platform/repeat'
import { Secret } from '@holdfast/server/platform/secret'
import { makeTransact, type Transaction } from '@holdfast/server/platform/transaction'
import { inTimeOf } from './fast-time.ts'

/** What is given to each worker. */
export type WaitingWorkerWorld = {
  readonly connectionString: string
  /** Answers the calls of the edges, each a `POST` to its name. */
  readonly edgesUrl: string
  readonly domain: string
  /** How far its clock is ahead of the real one. */
  readonly aheadMs: number
}

/** A line on its standard input; it says `done` when it was carried out. */
export type Order =
  | { readonly kind: 'clock'; readonly aheadMs: number }
  | { readonly kind: 'register'; readonly owner: string; readonly user: string; readonly offer?: string }
  | {
      readonly kind: 'change-offer' | 'accept-transfer' | 'release'
      readonly by: string
      readonly user: string
    }
  | { readonly kind: 'propose-transfer'; readonly by: string; readonly user: string; readonly to: string }
  /** The operator's. */
  | { readonly kind: 'suspend' | 'resume'; readonly user: string }
  | { readonly kind: 'reconcile' }
  | { readonly kind: 'claim'; readonly owner: string; readonly domain: string }
  | { readonly kind: 'check-now' | 'give-up'; readonly owner: string; readonly id: string }

const given = JSON.parse(process.env.HOLDFAST_TEST_WORLD ?? '') as WaitingWorkerWorld
const SWEEP_EVERY_MS = 1_000
const OPERATOR = '0c'.repeat(32)
let { aheadMs } = given
const clock = () => Date.now() + aheadMs
const log = makeLog({ level: 'error' })
const database = openDatabase({ connectionString: new Secret(given.connectionString), log })
const dispatch = startDispatch({ database, log })
const transact = inTimeOf(makeTransact({ database, dispatch }), (due) => due - aheadMs)

const ask = async <T>(call: string, said: object): Promise<T> => {
  const body = JSON.stringify({ ...said, at: clock() })
  const response = await fetch(`${given.edgesUrl}/${call}`, { method: 'POST', body })
  const answer = await response.json()
  if (response.ok) return answer as T
  throw response.status === 503
    ? new NodeError(answer as NodeErrorCode, 'as the simulated node said')
    : new DnsZoneError(answer as DnsZoneErrorCode, 'as the simulated zone said')
}
const nobody = () => Promise.reject(new Error('Nobody asks for this here.'))
const zone: DnsZone = {
  domain: given.domain,
  publish: (record, options = {}) => ask('publish', { ...record, ...options }),
  withdraw: (record) => ask('withdraw', record),
  authoritative: (name) => ask('authoritative', { name }),
  async *list() {
    yield* await ask<Pick<TxtRecord, 'name' | 'value'>[]>('list', { name: given.domain })
  },
}
const node: LightningNode = {
  nodeId: '02'.padEnd(66, '7'),
  network: 'regtest',
  capabilities: new Set(['offers'] as const),
  offers: {
    create: (request) => ask('create', request),
    list: nobody,
    disable: (offerId) => ask('disable', { offerId }),
  },
}
const nodes = { nodeOf: async () => node }
const resolveTxt = async (name: string, nowSeconds: number): Promise<TxtResolution> => {
  const { values } = await ask<{ values: string[] }>('resolve', { name })
  const lifetime = { ttlSeconds: 60, expiresAt: nowSeconds + 60, chain: [] }
  return values.length === 0
    ? { status: 'nxdomain', ...lifetime }
    : { status: 'secure', values: values.map((value) => Buffer.from(value)), ...lifetime }
}
const zones = new Map([[given.domain, zone]])
const identity = { mutate: nobody, authenticate: nobody }

const domains = makeDomainsSlice({
  ...{ transact, database, identity, zones, resolveTxt, clock },
  holdsNames: (domain, db) => names.holdsNames(domain, db),
})
const names = makeNamesSlice({
  ...{ transact, database, identity, nodes, resolveTxt, clock },
  zones: domains.zones,
  resolveFresh: ((name) => ask('resolve-name', { name })) satisfies ResolveFresh,
  network: 'regtest',
})

const deps = {
  ...{ zones, nodes, clock },
  network: 'regtest' as const,
  rules: DEFAULT_RULES,
  operators: new Set([OPERATOR]),
}
const asking = (tx: Transaction, { by, user }: { by: string; user: string }) => {
  return { tx, by, name: `${user}@${given.domain}` }
}

async function obey(order: Order): Promise<void> {
  switch (order.kind) {
    case 'clock':
      aheadMs = order.aheadMs
      await names.sweep()
      await domains.sweep()
      return void (await names.watch())
    case 'reconcile':
      return void (await names.reconcileZones())
    default: {
      const done = await transact((tx) => carryOut(tx, order))
      if (isRefusal(done)) throw new Error(`${JSON.stringify(order)} was refused: ${done.refused}`)
    }
  }
}

async function carryOut(tx: Transaction, order: Exclude<Order, { kind: 'clock' | 'reconcile' }>) {
  switch (order.kind) {
    case 'register':
      return registerName(deps, tx, order.owner, { domain: given.domain, ...order })
    case 'change-offer':
      return changeOffer(deps, asking(tx, order), {})
    case 'propose-transfer':
      return proposeTransfer(deps, asking(tx, order), order)
    case 'accept-transfer':
      return acceptTransfer(deps, asking(tx, order), {})
    case 'release':
      return releaseName(deps, asking(tx, order))
    case 'suspend':
      return suspendName(deps, asking(tx, { ...order, by: OPERATOR }))
    case 'resume':
      return resumeName(deps, asking(tx, { ...order, by: OPERATOR }))
    case 'claim': {
      const limits = { configured: [given.domain], host: given.domain, maxDomainsPerOwner: 1_000 }
      return claimOwnDomain({ ...limits, clock }, tx, order.owner, order.domain)
    }
    case 'check-now':
    case 'give-up': {
      const state = await lockDomain(tx.db, order.id)
      return state && requestDomain(tx, state, { kind: order.kind, by: order.owner }, clock())
    }
  }
}

await domains.sweep()
await startWorker({ database, tasks: { ...names.tasks, ...domains.tasks }, concurrency: 4, log })
repeat(SWEEP_EVERY_MS, log, { names: names.sweep, domains: domains.sweep })
createInterface({ input: process.stdin }).on('line', async (line) => {
  await obey(JSON.parse(line) as Order)
  process.stdout.write('done\n')
})
process.stdout.write('ready\n')
