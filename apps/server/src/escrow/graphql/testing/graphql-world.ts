import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { lastingPort } from '@holdfast/lightning/lasting-port'
import { makeIdentity } from '../../../identity/identity.ts'
import { type Device, sign } from '../../../identity/testing/identity-world.ts'
import { makeHttpApp } from '../../../platform/http/app.ts'
import { startJournal } from '../../../platform/journal/journal.ts'
import { makeLog } from '../../../platform/log.ts'
import type { TestDatabase } from '../../../platform/testing/with-database.ts'
import { makeEscrowWorld } from '../../testing/escrow-world.ts'
import { makeEscrowFeed } from '../escrow-feed.ts'
import { addGraphqlRoutes } from '../graphql.routes.ts'

export type GraphqlWorld = Awaited<ReturnType<typeof startGraphqlWorld>>

export type GraphqlAnswer = {
  status: number
  headers: Headers
  // What a test asked for, it knows.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  data: any
  errors?: { message: string; path?: (string | number)[]; extensions: Record<string, unknown> }[]
}

export type Query = { query: string; variables?: Record<string, unknown> }
export type How = { key?: string; token?: string; headers?: Record<string, string> }

/** The escrow world behind a real HTTP server; jobs run as soon as they are due. */
export async function startGraphqlWorld(
  database: TestDatabase,
  { handlerTimeoutMs = 30_000, corsOrigins = [] as string[] } = {},
) {
  const world = makeEscrowWorld(database)
  const app = await makeHttpApp({
    config: { publicUrl: null, rateLimit: 0, trustedProxies: [], corsOrigins, handlerTimeoutMs },
    log: makeLog({ level: 'silent' }),
    readiness: [],
    openapi: { title: 'Test', version: '0', description: '' },
  })
  const host = '127.0.0.1'
  const port = await lastingPort(host)
  const url = `http://${host}:${port}`
  const identity = makeIdentity({
    transact: world.transact,
    database: database.database,
    clock: Date.now,
    publicUrl: url,
  })
  await identity.install(app)
  const log = makeLog({ level: 'silent' })
  const journal = await startJournal({ database: database.database, transact: database.transact, log })
  const feed = makeEscrowFeed({ journal, log })
  const closing = new AbortController()
  await addGraphqlRoutes(app, {
    identity,
    database: database.database,
    escrows: world.slice,
    feed,
    closing: closing.signal,
  })
  await app.listen({ host, port })
  const working = { on: true }
  const sessions = new Map<Device, Promise<string>>()
  const work = runJobs()

  async function openSession(device: Device): Promise<string> {
    const authorization = sign(device, { method: 'POST', signed: { url: `${url}/v1/sessions` } })
    const response = await fetch(`${url}/v1/sessions`, { method: 'POST', headers: { authorization } })
    return ((await response.json()) as { token: string }).token
  }

  async function runJobs() {
    while (working.on) {
      const at = world.queue.findIndex(({ runAt }) => (runAt?.getTime() ?? 0) <= world.time.now)
      const [job] = at < 0 ? [] : world.queue.splice(at, 1)
      if (job) await world.perform(job)
      else await sleep(2)
    }
  }

  return {
    ...world,
    url,
    app,
    feed,
    identity,
    /** A payment hash whose preimage nobody needs. */
    newHash: () => randomBytes(32).toString('hex'),
    /** One for each device: two events that say the same in the same second are one, and it is good once. */
    async session(device: Device): Promise<string> {
      const known = sessions.get(device) ?? openSession(device)
      sessions.set(device, known)
      return known
    },
    /** The header that signs a body for /graphql. */
    signed: (by: Device, body: string) =>
      sign(by, { method: 'POST', body, signed: { url: `${url}/graphql` } }),
    async send(by: Device | null, { query, variables }: Query, how: How = {}): Promise<GraphqlAnswer> {
      const body = JSON.stringify({ query, ...(variables && { variables }) })
      const authorization = by && sign(by, { method: 'POST', body, signed: { url: `${url}/graphql` } })
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        body,
        headers: {
          'content-type': 'application/json',
          'idempotency-key': how.key ?? randomUUID(),
          ...(authorization && { authorization }),
          ...(how.token && { authorization: `Bearer ${how.token}` }),
          ...how.headers,
        },
      })
      return { status: response.status, headers: response.headers, ...(await response.json()) }
    },
    async close() {
      working.on = false
      await work
      closing.abort()
      await app.close()
      feed.stop()
      await journal.stop()
    },
  }
}
