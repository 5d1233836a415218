import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRefusal } from '@holdfast/core'
import { decideZone } from '@holdfast/core/zones/zone-plan'
import type { Ds, ZoneCommand, ZoneObservation, ZonePhase, ZoneState } from '@holdfast/core/zones/zone-states'
import { startSignedDns } from '@holdfast/devnet/dns/signed-dns'
import { parseTrustAnchors, resolveTxt } from '@holdfast/protocols/dnssec'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeQuery } from '../dns/dns-transport.ts'
import { newDevice, sign, startIdentityWorld } from '../identity/testing/identity-world.ts'
import { startWorker } from '../platform/jobs.ts'
import { makeLog } from '../platform/log.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { type ActOnZone, inTurn, makeHook } from './act-on-zone.ts'
import { makeObserveZone, type ObserveZone } from './observe-zone.ts'
import { findZoneServers } from './zone-servers.ts'
import { findZone } from './zone-store.ts'
import { makeZonesSlice } from './zones-slice.ts'

const DOMAIN = 'shop.test'
const K1: Ds = { keyTag: 1, algorithm: 13, digestType: 2, digest: 'aa'.repeat(32) }
const UNSIGNED = look([], [], 'insecure')
const database = withDatabase()
let folder: string
const ending: (() => Promise<unknown>)[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-zones-'))
})
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end()
  await database.db.deleteFrom('zone').execute()
  rmSync(folder, { recursive: true })
})

function look(
  keys: readonly Ds[],
  ds: readonly Ds[],
  fromRoot: ZoneObservation['fromRoot'],
): ZoneObservation {
  return {
    zone: [
      {
        server: '192.0.2.1:53',
        keys: keys.map((key) => ({ ds: key, signsKeys: true })),
        signedBy: keys.map(({ algorithm }) => algorithm),
      },
    ],
    parent: [{ server: '192.0.2.2:53', ds, ttlSeconds: 1 }],
    maxTtlSeconds: 0,
    fromRoot,
  }
}

/** The slice with real jobs over HTTP; what is seen of the zone, and who acts on it, is given. */
async function start(options: { observe: ObserveZone; act?: ActOnZone }) {
  const operator = newDevice()
  const world = await startIdentityWorld(database)
  ending.push(world.close)
  const slice = makeZonesSlice({
    transact: database.transact,
    database: database.database,
    identity: world.identity,
    ...options,
    operators: [operator.owner],
    clock: world.clock,
    maxTtlSeconds: 0,
    assumedDsTtlSeconds: 0,
  })
  slice.routes(world.app)
  const log = makeLog({ level: 'silent' })
  const worker = await startWorker({ database: database.database, tasks: slice.tasks, concurrency: 2, log })
  ending.push(worker.stop)
  await slice.adopt([DOMAIN])
  return {
    slice,
    operator,
    get: async (url: string) => (await world.app.inject({ url })).json(),
    async ask(kind: string, device = operator, domain = DOMAIN) {
      const url = `/v1/zones/${domain}/${kind}`
      const authorization = sign(device, { method: 'POST', url, now: world.clock() })
      const headers = { authorization, 'idempotency-key': crypto.randomUUID() }
      return world.app.inject({ method: 'POST', url, headers })
    },
    reaches: (phase: ZonePhase['phase']) =>
      expect
        .poll(async () => (await world.app.inject({ url: `/v1/zones/${DOMAIN}` })).json())
        .toMatchObject({ phase }),
  }
}

test('a zone that is signed already is taken as it is, by looking at real servers', async () => {
  const dns = await startSignedDns({ folder, zones: [DOMAIN] })
  ending.push(dns.stop)
  const query = makeQuery({ servers: [dns.address], timeoutMs: 2_000 })
  const anchors = parseTrustAnchors(readFileSync(dns.anchorFile, 'utf8'))
  const observe = makeObserveZone({
    serversOf: (domain) => ({
      ...findZoneServers({ domain, query, given: [dns.address], now: Date.now }),
      parent: async () => [dns.address],
    }),
    resolveTxt: (name, nowSeconds) => resolveTxt(name, { query, anchors, nowSeconds }),
    clock: Date.now,
  })
  expect(await observe(DOMAIN)).toMatchObject({
    zone: [{ server: dns.address, keys: [{ signsKeys: true, ds: { algorithm: 13 } }], signedBy: [13] }],
    parent: [{ server: dns.address, ds: [{ algorithm: 13, digestType: 2 }] }],
    fromRoot: 'secure',
  })
  const { get, reaches } = await start({ observe })
  await reaches('signed')
  expect(await get('/v1/zones')).toMatchObject({
    zones: [
      {
        domain: DOMAIN,
        phase: 'signed',
        problem: null,
        todo: null,
        ds: [expect.stringMatching(/^\d+ 13 2 [0-9A-F]{64}$/)],
      },
    ],
  })
})

test('servers that cannot be found or do not answer are said, and nothing is concluded from them', async () => {
  const query = makeQuery({ servers: ['127.0.0.1:1'], timeoutMs: 200, rounds: 1 })
  const observe = makeObserveZone({
    serversOf: (domain) => findZoneServers({ domain, query, given: ['127.0.0.1:1'], now: Date.now }),
    resolveTxt: async () => ({ status: 'unavailable', reason: 'no server' }),
    clock: Date.now,
    timeoutMs: 200,
  })
  expect(await observe(DOMAIN)).toEqual({
    zone: [{ server: '127.0.0.1:1', failure: expect.any(String) }],
    parent: [{ server: DOMAIN, failure: expect.stringContaining('no DNS server answered') }],
    maxTtlSeconds: 0,
    fromRoot: 'unavailable',
  })
})

describe('what an operator asks', () => {
  test('goes to a person where nothing can do it, with what to do, and on once it is seen', async () => {
    let seen = UNSIGNED
    const { ask, get, reaches, slice } = await start({ observe: async () => seen, act: inTurn() })
    expect((await ask('sign')).json()).toMatchObject({ phase: 'signing' })
    await expect
      .poll(() => get(`/v1/zones/${DOMAIN}`))
      .toMatchObject({
        phase: 'signing',
        problem: { code: 'PERSON_NEEDED' },
        todo: { action: 'sign', text: expect.stringContaining('Publish no DS yet'), records: [] },
      })
    seen = look([K1], [], 'insecure')
    await hurry(slice)
    await reaches('ds-publishing')
    expect(await get(`/v1/zones/${DOMAIN}`)).toMatchObject({
      todo: { action: 'publish-ds', records: [`shop.test. DS 1 13 2 ${'AA'.repeat(32)}`] },
    })
    seen = look([K1], [K1], 'secure')
    await hurry(slice)
    await reaches('signed')
    expect(await replayed()).toEqual(await findZone(database.db, DOMAIN))
  })

  test('is refused to others, for zones that are not here, and where there is no key to roll', async () => {
    const { ask } = await start({ observe: async () => UNSIGNED })
    expect((await ask('sign', newDevice())).json()).toMatchObject({ code: 'FORBIDDEN' })
    expect((await ask('sign', undefined, 'other.test')).json()).toMatchObject({ code: 'ZONE_NOT_FOUND' })
    expect((await ask('roll')).json()).toMatchObject({ code: 'ZONE_NOT_SIGNED' })
    expect(await findZone(database.db, DOMAIN)).toMatchObject({ phase: 'unsigned' })
  })

  test('is refused for a zone that nobody asks about, too', async () => {
    const { get } = await start({ observe: async () => UNSIGNED })
    expect(await get('/v1/zones/other.test')).toMatchObject({ code: 'ZONE_NOT_FOUND' })
  })
})

describe("the operator's program", () => {
  const program = (lines: string) => {
    const file = join(folder, 'hook')
    writeFileSync(file, `#!/bin/sh\n${lines}\n`)
    chmodSync(file, 0o755)
    return makeHook(file)
  }
  const request = {
    domain: DOMAIN,
    action: 'publish-ds',
    ds: [K1],
    signal: new AbortController().signal,
  } as const

  test('is told the action, the zone and the DS records', async () => {
    const act = program(`{ echo "$@"; cat; } > ${join(folder, 'said')}`)
    expect(await act(request)).toBe('done')
    expect(readFileSync(join(folder, 'said'), 'utf8')).toBe(
      `publish-ds shop.test\n1 13 2 ${'AA'.repeat(32)}\n`,
    )
  })

  test('may leave it to a person, and says why it failed', async () => {
    expect(await program('exit 64')(request)).toBe('by-person')
    await expect(program('echo first >&2; echo the registrar is down >&2; exit 1')(request)).rejects.toThrow(
      /^the registrar is down$/,
    )
    await expect(makeHook(join(folder, 'missing'))(request)).rejects.toThrow(/ENOENT/)
  })

  test('is asked again after it failed', async () => {
    const act = program(`echo x >> ${join(folder, 'count')}; test $(wc -l < ${join(folder, 'count')}) -gt 1`)
    const { ask, get } = await start({ observe: async () => UNSIGNED, act })
    await ask('sign')
    await expect
      .poll(() => get(`/v1/zones/${DOMAIN}`))
      .toMatchObject({ problem: { code: 'ACTION_FAILED', text: expect.stringContaining('tried again') } })
    await expect.poll(() => readFileSync(join(folder, 'count'), 'utf8')).toBe('x\nx\n')
  })
})

test.each<[string, ZoneObservation, string]>([
  ['a DS without a key', look([], [K1], 'bogus'), 'DS_WITHOUT_KEY'],
  [
    'a silent server',
    { ...UNSIGNED, zone: [{ server: '192.0.2.1:53', failure: 'timeout' }] },
    'SERVER_SILENT',
  ],
  [
    'parents that differ',
    { ...UNSIGNED, parent: [...UNSIGNED.parent, { server: '192.0.2.3:53', ds: [K1], ttlSeconds: 1 }] },
    'DS_WITHOUT_KEY',
  ],
])('%s is a problem that is told', async (_what, seen, code) => {
  const { get } = await start({ observe: async () => seen })
  await expect
    .poll(() => get(`/v1/zones/${DOMAIN}`))
    .toMatchObject({ phase: 'unsigned', problem: { code, text: expect.stringMatching(/^[A-Z].+\.$/) } })
})

test('each who can act is asked in turn, until one has done it; else a person is', async () => {
  const asked: string[] = []
  const who =
    (name: string, outcome: 'done' | 'by-person'): ActOnZone =>
    async () => {
      asked.push(name)
      return outcome
    }
  const request = { domain: DOMAIN, action: 'sign', ds: [], signal: new AbortController().signal } as const
  const [first, second, third] = [who('first', 'by-person'), who('second', 'done'), who('third', 'done')]
  expect(await inTurn(first, second, third)(request)).toBe('done')
  expect(asked).toEqual(['first', 'second'])
  expect(await inTurn(first)(request)).toBe('by-person')
})

test('a zone that is taken in to be signed is asked for that once', async () => {
  const { slice, ask, get } = await start({ observe: async () => UNSIGNED })
  await database.db.deleteFrom('zone').execute()
  await slice.adopt([DOMAIN], { andSign: true })
  expect(await get(`/v1/zones/${DOMAIN}`)).toMatchObject({ phase: 'signing' })
  await ask('unsign')
  expect(await get(`/v1/zones/${DOMAIN}`)).toMatchObject({ phase: 'ds-withdrawing' })
  await slice.adopt([DOMAIN], { andSign: true })
  expect(await get(`/v1/zones/${DOMAIN}`)).toMatchObject({ phase: 'ds-withdrawing' })
})

test('a zone that is known goes on where it stood; one at which nobody looked is looked at', async () => {
  const silent = { ...UNSIGNED, zone: [{ server: '192.0.2.1:53', failure: 'timeout' }] }
  const { slice, get } = await start({ observe: async () => silent })
  const isSilent = { problem: { code: 'SERVER_SILENT' } }
  await expect.poll(() => get(`/v1/zones/${DOMAIN}`)).toMatchObject(isSilent)
  await slice.adopt([DOMAIN])
  expect(await get(`/v1/zones/${DOMAIN}`)).toMatchObject(isSilent)
  expect(await slice.sweep()).toBe(0)
  await database.db
    .updateTable('zone')
    .set({ look_at: new Date(0) })
    .execute()
  expect(await slice.sweep()).toBe(1)
})

/** As if the time had come for the next look. */
async function hurry(slice: { sweep(): Promise<number> }) {
  await database.db
    .updateTable('zone')
    .set({ look_at: new Date(0) })
    .execute()
  await slice.sweep()
}

async function entries() {
  return database.db
    .selectFrom('journal')
    .select(['data', 'at'])
    .where('stream', '=', 'zone')
    .where('entity_id', '=', DOMAIN)
    .where('at', '>=', began)
    .orderBy('seq')
    .execute()
}

let began = new Date()
beforeEach(() => {
  began = new Date()
})

/** The zone as its journal tells it. */
async function replayed(): Promise<ZoneState | null> {
  return (await entries()).reduce<ZoneState | null>((state, { data, at }) => {
    const { command } = data as unknown as { command: ZoneCommand }
    const decision = decideZone(state, command, at.getTime())
    return isRefusal(decision) ? state : decision.state
  }, null)
}
