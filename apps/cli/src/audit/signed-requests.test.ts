import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AuthEvent, createAuthEvent } from '@holdfast/protocols/nip98'
import {
  change,
  type Device,
  type IdentityWorld,
  newDevice,
  openSession,
  startIdentityWorld,
} from '@holdfast/server/identity/testing/identity-world'
import { withDatabase } from '@holdfast/server/platform/testing/with-database'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { runHoldfast } from '../testing/run-holdfast.ts'

const database = withDatabase()
const folder = mkdtempSync(join(tmpdir(), 'holdfast-signed-'))
afterAll(() => rmSync(folder, { recursive: true }))

const STARTED = 1_800_000_000_000
let now = STARTED
let world: IdentityWorld
let alice: Device
let files = 0

beforeEach(async () => {
  vi.stubEnv('DATABASE_URL', database.connectionString.reveal())
  await asOwner('delete from journal', 'delete from signed_request')
  now = STARTED
  alice = newDevice()
  world = await startIdentityWorld(database, { clock: () => now })
  world.work = async (tx, actor) => {
    tx.append({ ...entry(), actor })
    return { status: 201, body: { owner: actor } }
  }
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await world.close()
})

const entry = () => ({
  ...{ stream: 'test', entityId: 'it', kind: 'test.done', actor: alice.owner },
  ...{ data: {} as Record<string, string>, at: new Date(now) },
})

/** What whoever runs the server can write: an entry whose hashes are right. */
const forge = (data: Record<string, string>, actor = alice.owner) =>
  database.transact(async (tx) => tx.append({ ...entry(), data, actor }))

const keep = (event: AuthEvent) =>
  database.db
    .insertInto('signed_request')
    .values({
      id: Buffer.from(event.id, 'hex'),
      event: JSON.stringify(event),
      first_used_at: new Date(now),
    })
    .execute()

async function asOwner(...statements: string[]) {
  const tables = ['journal', 'signed_request']
  for (const table of tables) await database.queryAsOwner(`alter table ${table} disable trigger user`)
  for (const statement of statements) await database.queryAsOwner(statement)
  for (const table of tables) await database.queryAsOwner(`alter table ${table} enable trigger user`)
}

const signedBy = (by: Device, method: string, url = 'https://api.shop.test/graphql') =>
  createAuthEvent({ url, method, bodySha256: null, now }, by.secretKey, randomUUID())

async function verifiedOffline(change = (text: string) => text) {
  const file = join(folder, `${++files}.jsonl`)
  await runHoldfast('audit', 'export', '--out', file)
  writeFileSync(file, change(readFileSync(file, 'utf8')))
  return runHoldfast('audit', 'verify', '--file', file)
}

/** One of a request that is signed itself, two of a session. */
async function journalOfAlice() {
  await change(world, alice)
  const { session } = await openSession(world, alice)
  await change(world, session)
  now += 15 * 60_000 - 1
  expect((await change(world, session)).statusCode).toBe(201)
}

test('entries of signed requests and of sessions are proven, in the database and offline', async () => {
  await journalOfAlice()
  await database.transact(async (tx) => tx.append({ ...entry(), actor: 'system' }))
  const counted = { signed: 3, before: 0, events: 2 }
  for (const args of [[], ['test:it']]) {
    const { out } = await runHoldfast('audit', 'verify', ...args, '--json')
    expect(JSON.parse(out)).toMatchObject({ agrees: true, signatures: counted })
  }
  const { code, out } = await verifiedOffline()
  expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('3 name one of 2') })
})

test('an export has each signed request once, before the first entry that names it', async () => {
  await journalOfAlice()
  const { out } = await runHoldfast('audit', 'export', 'test:it')
  const [head, ...lines] = out.split('\n').map((line) => JSON.parse(line))
  expect(head).toMatchObject({ signedSince: new Date(STARTED).toISOString(), signedRule: expect.any(String) })
  const events = lines.filter((line) => line.signedRequest).map(({ signedRequest }) => signedRequest)
  const idOf = (path: string) => events.find(({ tags }) => tags[0][1].endsWith(path))?.id
  const named = lines.filter((line) => line.seq).map(({ data }) => data.signedRequest)
  expect(events).toHaveLength(2)
  expect(named).toEqual([idOf('/change'), idOf('/v1/sessions'), idOf('/v1/sessions')])
})

test('entries that are older than the first signed request need none', async () => {
  await forge({})
  now += 1
  await change(world, alice)
  const { code, out } = await runHoldfast('audit', 'verify')
  expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('1 are older') })
  expect((await verifiedOffline()).code).toBe(0)
})

test('an export of the first format is verified still', async () => {
  await forge({})
  const first = (text: string) => text.replace('export-2', 'export-1').replace(/,"signedSince":.*(?=\})/, '')
  expect(await verifiedOffline(first)).toMatchObject({ code: 0 })
})

describe('what the server says of a person without proof is found:', () => {
  test.each<[string, string, () => Promise<unknown>]>([
    ['no signed request at all', 'unsigned', () => forge({})],
    [
      'none, said to be older than the first',
      'unsigned',
      async () => {
        now -= 60_000
        await forge({})
      },
    ],
    ['one that is not there', 'signed-request-missing', () => forge({ signedRequest: '0'.repeat(64) })],
    ['one whose name is none', 'signed-request-missing', () => forge({ signedRequest: 'zz' })],
    [
      'that of somebody else',
      'signed-by-another',
      async () => {
        const event = signedBy(newDevice(), 'POST')
        await keep(event)
        await forge({ signedRequest: event.id })
      },
    ],
    [
      'one that only asked to read',
      'signed-for-reading',
      async () => {
        const event = signedBy(alice, 'GET')
        await keep(event)
        await forge({ signedRequest: event.id })
      },
    ],
    [
      'one of another time',
      'signed-at-another-time',
      async () => {
        const event = signedBy(alice, 'POST')
        await keep(event)
        now += 10 * 60_000
        await forge({ signedRequest: event.id })
      },
    ],
    [
      'a session that has ended',
      'signed-at-another-time',
      async () => {
        const event = signedBy(alice, 'POST', 'https://api.shop.test/v1/sessions')
        await keep(event)
        now += 20 * 60_000
        await forge({ signedRequest: event.id })
      },
    ],
    [
      'an event whose signature is wrong',
      'signature-wrong',
      async () => {
        const event = { ...signedBy(alice, 'POST'), sig: signedBy(alice, 'POST').sig }
        await keep(event)
        await forge({ signedRequest: event.id })
      },
    ],
    [
      'an event that was changed afterwards',
      'signature-wrong',
      async () => {
        const event = signedBy(alice, 'POST')
        await keep({ ...event, created_at: event.created_at + 1 })
        await forge({ signedRequest: event.id })
      },
    ],
    [
      'an event that is none of NIP-98',
      'signature-wrong',
      async () => {
        const event = { ...signedBy(alice, 'POST'), kind: 1 }
        await keep(event)
        await forge({ signedRequest: event.id })
      },
    ],
  ])('%s', async (_what, finding, deed) => {
    await change(world, alice)
    now += 1
    await deed()
    for (const args of [[], ['test:it']]) {
      const { code, out } = await runHoldfast('audit', 'verify', ...args)
      expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining(`${finding}: entry 2`) })
    }
    const { code, out } = await verifiedOffline()
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining(`entry 2: ${finding}`) })
  })

  test('a kept event that somebody took out of the table, or out of the export', async () => {
    await change(world, alice)
    const without = (text: string) => text.replace(/^\{"signedRequest".*\n/m, '')
    expect((await verifiedOffline(without)).out).toContain('signed-request-missing')
    await asOwner('delete from signed_request')
    expect((await runHoldfast('audit', 'verify')).out).toContain('signed-request-missing')
  })
})
