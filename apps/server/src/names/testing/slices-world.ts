import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonObject } from '@holdfast/core'
import type { DnsZone } from '@holdfast/core/dns-zone'
import type { LightningNode } from '@holdfast/lightning'
import type { TxtResolution } from '@holdfast/protocols/dnssec'
import { addAliases } from '../../aliases.ts'
import type { AskResolvers } from '../../dns/resolvers/ask-resolvers.ts'
import { makeIdentity } from '../../identity/identity.ts'
import { type Device, newDevice, PUBLIC_URL, sign } from '../../identity/testing/identity-world.ts'
import type { NodeDirectory } from '../../nodes/node-directory.ts'
import { makeNodesSlice } from '../../nodes/nodes-slice.ts'
import { makeTestNode, type TestNode } from '../../nodes/testing/test-node.ts'
import { OutboundError } from '../../outbound/outbound-error.ts'
import { makePaymentsSlice } from '../../payments/payments-slice.ts'
import { makeHttpApp } from '../../platform/http/app.ts'
import { startWorker } from '../../platform/jobs.ts'
import { makeLog } from '../../platform/log.ts'
import type { TestDatabase } from '../../platform/testing/with-database.ts'
import { makeResolveSlice } from '../../resolve/resolve-slice.ts'
import type { ResolveTxt } from '../../resolve/validations.ts'
import type { NameRules } from '../name-rules.ts'
import { makeNamesSlice } from '../names-slice.ts'
import type { SoleOwnerOf } from '../register-name.ts'
import { makeTestZone, type TestZone } from './test-zone.ts'

export type SlicesWorld = Awaited<ReturnType<typeof startSlicesWorld>>

/**
 * The names, payments, nodes and resolve slices on a real database, with real jobs, over HTTP; only the zone, the nodes
 * and the validation of DNSSEC (which protocols tests) are doubles.
 */
export async function startSlicesWorld(
  database: TestDatabase,
  options: {
    rules?: Partial<NameRules>
    operators?: readonly string[]
    worker?: boolean
    askResolvers?: AskResolvers
    /** A real zone, and how it is validated, instead of the doubles. */
    dns?: { readonly zone: DnsZone; readonly resolveTxt: ResolveTxt }
    /** How many jobs run at once. */
    concurrency?: number
    /** Default: shop.test. */
    domain?: string
    /** The only key that may register names in the domain. */
    soleOwnerOf?: SoleOwnerOf
  } = {},
) {
  const log = makeLog({ level: 'silent' })
  const time = { shiftMs: 0 }
  const clock = () => Date.now() + time.shiftMs
  const { domain = 'shop.test' } = options
  const zone: TestZone = makeTestZone(domain)
  type Found = () => Promise<LightningNode>
  const byOwner = new Map<string, LightningNode | Found>()
  const nodes: NodeDirectory = {
    async nodeOf(owner) {
      const known = byOwner.get(owner) ?? null
      return typeof known === 'function' ? known() : known
    },
  }
  const dns: { answer: TxtResolution | null; asked: number } = { answer: null, asked: 0 }
  /** What strangers' web servers answer. */
  const web: { answer: (url: string) => unknown } = {
    answer() {
      throw new OutboundError('unreachable', 'the test has no web')
    },
  }

  const { transact } = database
  const closing = new AbortController()
  const app = await makeHttpApp({
    config: { publicUrl: PUBLIC_URL, rateLimit: 0, trustedProxies: [], bodyLimitBytes: 64 * 1024 },
    log,
    readiness: [],
    openapi: { title: 'Test', version: '0', description: '' },
  })
  const identity = makeIdentity({ transact, database: database.database, clock, publicUrl: PUBLIC_URL })
  await identity.install(app)
  addAliases(app)
  const resolveTxt: ResolveTxt =
    options.dns?.resolveTxt ??
    (async (name, nowSeconds) => {
      dns.asked++
      return dns.answer ?? resolutionFrom(zone, name, nowSeconds)
    })
  const resolve = makeResolveSlice({
    clock,
    outbound: { getJson: async (url) => web.answer(url) },
    resolveTxt,
  })
  const names = makeNamesSlice({
    transact,
    database: database.database,
    identity,
    zones: new Map([[domain, options.dns?.zone ?? zone]]),
    nodes,
    resolveFresh: resolve.resolver.resolveFresh,
    resolveTxt,
    network: 'regtest',
    clock,
    closing: closing.signal,
    ...options,
  })
  const payments = makePaymentsSlice({
    transact,
    database: database.database,
    identity,
    nodes,
    resolver: resolve.resolver,
    addresses: resolve.addresses,
    clock,
    closing: closing.signal,
    ...(options.rules?.deadlineMs !== undefined && { deadlineMs: options.rules.deadlineMs }),
  })
  names.routes(app)
  payments.routes(app)
  resolve.routes(app)
  makeNodesSlice({ nodes, identity }).routes(app)
  const tasks = { ...names.tasks, ...payments.tasks }
  const worker =
    options.worker === false
      ? null
      : await startWorker({ database: database.database, tasks, concurrency: options.concurrency ?? 4, log })

  const pauseOfClient = () => sleep(500 + Math.random() * 1_000)
  const bearers = new Map<string, Promise<string>>()
  const authorizationOf = (device: Device) => {
    // A session of another time may have expired.
    const session = `${device.owner} ${time.shiftMs}`
    const bearer = bearers.get(session) ?? openSession(device)
    bearers.set(session, bearer)
    return bearer
  }
  /** A server that has enough to do says so, and is asked again. */
  const openSession = async (device: Device): Promise<string> => {
    const url = '/v1/sessions'
    for (;;) {
      const authorization = sign(device, { method: 'POST', url, now: clock(), salt: randomUUID() })
      const opened = await app.inject({ method: 'POST', url, headers: { authorization } })
      if (opened.statusCode === 201) return `Bearer ${opened.json().token}`
      if (opened.statusCode !== 503) throw new Error(opened.body)
      await pauseOfClient()
    }
  }
  const get = async (url: string, device?: Device) =>
    app.inject({ url, headers: device ? { authorization: await authorizationOf(device) } : {} })
  const send = async (
    method: 'POST' | 'PUT' | 'DELETE',
    url: string,
    device: Device,
    payload?: JsonObject,
    key: string = randomUUID(),
  ) =>
    app.inject({
      method,
      url,
      headers: { authorization: await authorizationOf(device), 'idempotency-key': key },
      ...(payload !== undefined && { payload }),
    })
  type Send = Parameters<typeof send>
  /** As a client does: a server that has enough to do says so, and is asked again by the same key. */
  const insist = async (method: Send[0], url: string, device: Device, payload?: JsonObject) => {
    for (const key = randomUUID(); ; ) {
      const answer = await send(method, url, device, payload, key)
      if (answer.statusCode !== 503) return answer
      await pauseOfClient()
    }
  }
  return {
    app,
    zone,
    dns,
    web,
    time,
    names,
    payments,
    resolver: resolve.resolver,
    tasks,
    get,
    send,
    insist,
    authorizationOf,
    /** Somebody with a device and, unless told otherwise, a node. */
    newUser(node: TestNode | null = makeTestNode()) {
      const device = newDevice()
      if (node) byOwner.set(device.owner, node)
      return { device, node: node ?? makeTestNode() }
    },
    connect: (owner: string, node: LightningNode | Found) => byOwner.set(owner, node),
    disconnect: (owner: string) => byOwner.delete(owner),
    register: (device: Device, user: string, more: JsonObject = {}) =>
      send('POST', '/v1/names', device, { user, domain, ...more }),
    jobEnds: async (id: string) => (await get(`/v1/jobs/${id}?wait=20`)).json(),
    /** Reads the payment until it has the state, at most 15 s. */
    paymentIs: async (device: Device, id: string, state: string) => {
      for (const until = performance.now() + 15_000; ; ) {
        const payment = (await get(`/v1/payments/${id}`, device)).json()
        if (payment.state === state) return payment
        if (performance.now() > until) throw new Error(`The payment is still ${payment.state}, not ${state}.`)
        await sleep(20)
      }
    },
    closing,
    async stop() {
      await worker?.stop()
      await app.close()
    },
  }
}

/** What a strict validator would say of the zone. */
function resolutionFrom(zone: TestZone, name: string, nowSeconds: number): TxtResolution {
  const value = zone.records.get(name) ?? zone.records.get(name.replace(/^[^.]+/, '*'))
  const lifetime = { ttlSeconds: 60, expiresAt: nowSeconds + 60, chain: [] }
  if (!zone.signed) return { status: 'insecure', zone: zone.domain, reason: 'no DS' }
  if (value === undefined) return { status: 'nxdomain', ...lifetime }
  return { status: 'secure', values: [new TextEncoder().encode(value)], ...lifetime }
}
