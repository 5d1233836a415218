import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { type JsonObject, refuse } from '@holdfast/core'
import type { DnsZone } from '@holdfast/core/dns-zone'
import { parseName, recordName, selectInstruction } from '@holdfast/protocols/bip353'
import { TYPE } from '@holdfast/protocols/dns/codes'
import { nameToWire } from '@holdfast/protocols/dns/names'
import { makeVerifiedSignatures, resolveTxt } from '@holdfast/protocols/dnssec'
import { makeWorld, text } from '@holdfast/protocols/dnssec/testing/signed-world'
import { makeIdentity } from '../../identity/identity.ts'
import { type Device, newDevice, PUBLIC_URL, sign } from '../../identity/testing/identity-world.ts'
import { makeNamesSlice } from '../../names/names-slice.ts'
import { makeTestZone } from '../../names/testing/test-zone.ts'
import { makeTestNode } from '../../nodes/testing/test-node.ts'
import { makeHttpApp } from '../../platform/http/app.ts'
import { startWorker } from '../../platform/jobs.ts'
import { makeLog } from '../../platform/log.ts'
import type { TestDatabase } from '../../platform/testing/with-database.ts'
import type { Transact } from '../../platform/transaction.ts'
import type { ResolveTxt } from '../../resolve/validations.ts'
import { makeDomainsSlice } from '../domains-slice.ts'

/** The merchant's DNS, as the merchant has set it up. */
export type MerchantDns = {
  signed: boolean
  down: boolean
  /** By name, without the domain. */
  txt: Map<string, string[]>
  cname: Map<string, string>
  /** From `user._bitcoin-payment` of the domain to this name. */
  dname: string | null
  /** Whether the zone of its names is delegated to us, and with a DS. */
  delegation: 'none' | 'unsigned' | 'signed'
}

export type DomainsWorld = Awaited<ReturnType<typeof startDomainsWorld>>

/** Real zones in the place of those that are served without a network. */
export type RealDns = { readonly zone: DnsZone; readonly namesZone: DnsZone; readonly resolveTxt: ResolveTxt }

/**
 * The domains and names slices on a real database, with real jobs, over HTTP. `shop.test` is ours, `merchant.test` the
 * merchant's; both are really signed and validated from their root down, but served without a network.
 */
export async function startDomainsWorld(database: TestDatabase, real?: RealDns) {
  const log = makeLog({ level: 'silent' })
  const time = { shiftMs: 0 }
  const clock = () => Date.now() + time.shiftMs
  const zone = makeTestZone('shop.test')
  const merchant: MerchantDns = {
    signed: true,
    down: false,
    txt: new Map(),
    cname: new Map(),
    dname: null,
    delegation: 'none',
  }
  const namesZone = makeTestZone('user._bitcoin-payment.merchant.test')
  const node = makeTestNode({ capabilities: new Set(['offers', 'payees'] as const) })
  const owners = new Map<string, string>()

  // The zones sign alike each time, so that the checks within the server's time limits cost a busy machine little.
  const { verify: verifySignature } = makeVerifiedSignatures()
  const resolveHere: ResolveTxt = async (name) => {
    const { anchors, query } = makeWorld([
      { apex: '.' },
      { apex: 'test.' },
      { apex: 'shop.test.', data: (add) => publishOurs(add) },
      { apex: 'merchant.test.', ...(!merchant.signed && { ds: null }), data: (add) => publishTheirs(add) },
      ...(merchant.delegation === 'none'
        ? []
        : [
            {
              apex: 'user._bitcoin-payment.merchant.test.',
              ...(merchant.delegation === 'unsigned' && { ds: null }),
              data: (add: Add) => publishNames(add),
            },
          ]),
    ])
    if (merchant.down && name.endsWith('merchant.test'))
      return { status: 'unavailable', reason: 'as the test asked' }
    return resolveTxt(name, { query, anchors, nowSeconds: Math.floor(Date.now() / 1000), verifySignature })
  }
  type Add = (owner: string, type: number, ...rdatas: Uint8Array[]) => void
  const publishOurs = (add: Add) => {
    for (const [name, value] of zone.records) add(name.slice(0, -'.shop.test'.length), TYPE.TXT, text(value))
  }
  const publishNames = (add: Add) => {
    for (const [name, value] of namesZone.records)
      add(name.slice(0, -`.${namesZone.domain}`.length), TYPE.TXT, text(value))
  }
  const publishTheirs = (add: Add) => {
    for (const [name, values] of merchant.txt) add(name, TYPE.TXT, ...values.map((value) => text(value)))
    for (const [name, target] of merchant.cname) add(name, TYPE.CNAME, nameToWire(`${target}.`))
    if (merchant.dname !== null) add('user._bitcoin-payment', TYPE.DNAME, nameToWire(`${merchant.dname}.`))
  }

  const resolve = real?.resolveTxt ?? resolveHere
  const zones = { ours: real?.zone ?? zone, names: real?.namesZone ?? namesZone }
  const committed = new EventEmitter()
  committed.setMaxListeners(0)
  const transact: Transact = async (work) => {
    const result = await database.transact(work)
    committed.emit('commit')
    return result
  }
  const app = await makeHttpApp({
    config: { publicUrl: PUBLIC_URL, rateLimit: 0, trustedProxies: [], bodyLimitBytes: 64 * 1024 },
    log,
    readiness: [],
    openapi: { title: 'Test', version: '0', description: '' },
  })
  const identity = makeIdentity({
    transact,
    database: database.database,
    clock: Date.now,
    publicUrl: PUBLIC_URL,
  })
  await identity.install(app)
  const makeDomains = () =>
    makeDomainsSlice({
      transact,
      database: database.database,
      identity,
      zones: new Map([['shop.test', zones.ours]]),
      delegated: new Map([['merchant.test', { zone: zones.names, nameServers: ['ns1.shop.test'] }]]),
      resolveTxt: resolve,
      holdsNames: (domain, db) => names.holdsNames(domain, db),
      owners,
      clock,
      maxDomainsPerOwner: 2,
    })
  const domains = makeDomains()
  const names = makeNamesSlice({
    transact,
    database: database.database,
    identity,
    zones: domains.zones,
    mayRegister: domains.mayRegister,
    soleOwnerOf: domains.ownerOf,
    nodes: { nodeOf: async () => node },
    async resolveFresh(name) {
      const resolved = await resolve(recordName(parseName(name)), Math.floor(Date.now() / 1000))
      if (resolved.status !== 'secure') return refuse('RESOLVE_NO_SUCH_NAME')
      const selected = selectInstruction(
        resolved.values.map((value) => Buffer.from(value).toString('latin1')),
      )
      return 'uri' in selected ? selected : refuse('RESOLVE_NO_INSTRUCTION')
    },
    resolveTxt: resolve,
    hostedDomains: domains.hostedDomains,
    endedDomain: domains.endedDomain,
    formerZones: domains.formerZones,
    delegatedZones: new Map([[zones.names.domain, zones.names]]),
    network: 'regtest',
    clock,
    rules: { deadlineMs: real ? 60_000 : 5_000, quarantineMs: 0 },
  })
  names.routes(app)
  domains.routes(app)
  const tasks = { ...names.tasks, ...domains.tasks }
  const worker = await startWorker({ database: database.database, tasks, concurrency: 4, log })

  const bearers = new Map<string, Promise<string>>()
  const bearerOf = (device: Device) => {
    const bearer = bearers.get(device.owner) ?? openSession(device)
    bearers.set(device.owner, bearer)
    return bearer
  }
  const openSession = async (device: Device) => {
    const url = '/v1/sessions'
    const authorization = sign(device, { method: 'POST', url, now: Date.now() })
    return `Bearer ${(await app.inject({ method: 'POST', url, headers: { authorization } })).json().token}`
  }
  const get = async (url: string, device: Device) =>
    app.inject({ url, headers: { authorization: await bearerOf(device) } })
  const send = async (method: 'POST' | 'PUT' | 'DELETE', url: string, device: Device, payload?: JsonObject) =>
    app.inject({
      method,
      url,
      headers: { authorization: await bearerOf(device), 'idempotency-key': randomUUID() },
      ...(payload !== undefined && { payload }),
    })

  return {
    app,
    zone,
    /** Ours, for the names of `merchant.test`. */
    namesZone,
    merchant,
    /** Who alone may register names in `shop.test`. */
    owners,
    resolve,
    time,
    domains,
    makeDomains,
    names,
    newDevice,
    get,
    send,
    /** Resolves when it holds; asked again after every commit, because nothing else changes what is told. */
    async until(holds: () => boolean | Promise<boolean>): Promise<void> {
      for (;;) {
        const next = once(committed, 'commit')
        if (await holds()) return
        await next
      }
    },
    claim: (device: Device, domain = 'merchant.test') => send('POST', '/v1/domains', device, { domain }),
    own: async (device: Device) => (await get('/v1/domains/mine/merchant.test', device)).json(),
    checkNow: (device: Device) => send('POST', '/v1/domains/mine/merchant.test/check', device),
    /** Does what the instructions say. */
    prove(claimed: { instructions: { challenge: { value: string } } }) {
      merchant.txt.set('_holdfast-challenge', [claimed.instructions.challenge.value])
    },
    register: (device: Device, user: string, domain = 'merchant.test') =>
      send('POST', '/v1/names', device, { user, domain }),
    jobEnds: async (id: string) => (await app.inject({ url: `/v1/jobs/${id}?wait=20` })).json(),
    async stop() {
      await worker.stop()
      await app.close()
    },
  }
}
