import { createHash, randomUUID } from 'node:crypto'
import type { Hex } from '@holdfast/lightning'
import { authorizationHeader, createAuthEvent } from '@holdfast/protocols/nip98'
import { generateSecretKey, getPublicKey } from 'nostr-tools/pure'
import { z } from 'zod'
import { type App, makeHttpApp } from '../../platform/http/app.ts'
import { makeLog } from '../../platform/log.ts'
import type { TestDatabase } from '../../platform/testing/with-database.ts'
import { type Identity, type IdentityOptions, makeIdentity, type Work } from '../identity.ts'

export const PUBLIC_URL = 'https://api.shop.test'

/** One instance of the server with `GET /read`, and `POST` and `DELETE /change` that run `world.work`. */
export type IdentityWorld = {
  app: App
  identity: Identity
  clock: () => number
  work: Work
  executions: number
  /** What is done before the transaction; null: nothing. */
  prepare: ((owner: Hex) => Promise<unknown>) | null
  /** What is prepared already; null: all has to be asked for. */
  atHand: ((owner: Hex) => unknown) | null
  isPreparedByReading: boolean
  close(): Promise<void>
}

export async function startIdentityWorld(
  database: TestDatabase,
  options: Partial<IdentityOptions> = {},
): Promise<IdentityWorld> {
  const clock = options.clock ?? Date.now
  const log = makeLog({ level: 'silent' })
  const identity = makeIdentity({
    transact: database.transact,
    database: database.database,
    clock,
    publicUrl: `${PUBLIC_URL}/`,
    ...options,
  })
  const app = await makeHttpApp({
    config: { publicUrl: PUBLIC_URL, rateLimit: 0, trustedProxies: [] },
    log,
    readiness: [],
    openapi: { title: 'Test', version: '0', description: '' },
  })
  await identity.install(app)
  const world: IdentityWorld = {
    app,
    identity,
    clock,
    executions: 0,
    prepare: null,
    atHand: null,
    isPreparedByReading: false,
    work: async (_tx, owner) => ({ status: 201, headers: { location: '/x' }, body: { owner } }),
    close: () => app.close(),
  }
  app.get('/read', async (request) => ({ owner: await identity.authenticate(request) }))
  const body = z.strictObject({ amountMsat: z.string() }).nullish()
  const response = { 201: z.strictObject({ owner: z.string(), amountMsat: z.string().optional() }) }
  app.route({
    method: ['POST', 'DELETE'],
    url: '/change',
    schema: { body, response },
    handler(request, reply) {
      const work: Work = (tx, owner) => {
        world.executions++
        return world.work(tx, owner)
      }
      const { prepare, atHand, isPreparedByReading } = world
      const prepared = prepare && { prepare, work, isPreparedByReading, ...(atHand && { atHand }) }
      return identity.mutate(request, reply, prepared ?? work)
    },
  })
  return world
}

export type Device = { secretKey: Uint8Array; owner: string }

export function newDevice(): Device {
  const secretKey = generateSecretKey()
  return { secretKey, owner: getPublicKey(secretKey) }
}

export type Sent = {
  method?: 'GET' | 'POST' | 'DELETE'
  url?: string
  body?: string
  /** What is signed, where it differs from what is sent. */
  signed?: { url?: string; method?: string; body?: string }
  now?: number
  /** Without one, two equal requests within a second are one event. */
  salt?: string
}

/** The NIP-98 header for a request. */
export function sign(
  device: Device,
  { method = 'GET', url = '/read', body, signed, now, salt }: Sent = {},
): string {
  const signedBody = signed?.body ?? body
  const event = createAuthEvent(
    {
      url: signed?.url ?? PUBLIC_URL + url,
      method: signed?.method ?? method,
      bodySha256: signedBody === undefined ? null : createHash('sha256').update(signedBody).digest('hex'),
      now: now ?? Date.now(),
    },
    device.secretKey,
    salt,
  )
  return authorizationHeader(event)
}

export function read(world: IdentityWorld, authorization?: string, url = '/read') {
  return world.app.inject({ url, headers: authorization === undefined ? {} : { authorization } })
}

/** A mutation signed by `device`, or carrying `token`. */
export function change(
  world: IdentityWorld,
  by: Device | { token: string },
  {
    key = randomUUID(),
    body = '{"amountMsat":"1"}',
    url = '/change',
  }: { key?: string; body?: string; url?: string } = {},
) {
  const authorization =
    'token' in by ? `Bearer ${by.token}` : sign(by, { method: 'POST', url, body, now: world.clock() })
  return world.app.inject({
    method: 'POST',
    url,
    body,
    headers: { authorization, 'idempotency-key': key, 'content-type': 'application/json' },
  })
}

export async function openSession(world: IdentityWorld, device: Device) {
  const authorization = sign(device, { method: 'POST', url: '/v1/sessions', now: world.clock() })
  const response = await world.app.inject({ method: 'POST', url: '/v1/sessions', headers: { authorization } })
  return { response, session: response.json<{ token: string; expiresAt: number; owner: string }>() }
}
