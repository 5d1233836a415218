import { isRefusal, type JsonValue, type Refusal, refuse } from '@holdfast/core'
import type { Hex } from '@holdfast/lightning'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OpenDatabase } from '../platform/database.ts'
import type { App } from '../platform/http/app.ts'
import { orThrow, RefusalError } from '../platform/http/problem.ts'
import type { RateLimiter } from '../platform/http/rate-limiter.ts'
import type { Transact, Transaction } from '../platform/transaction.ts'
import { answerAsBelieved } from './answer-as-believed.ts'
import { type Answered, answerOnce } from './answer-once.ts'
import { digestOfBody } from './body-digest.ts'
import { type Credential, readCredential } from './credential.ts'
import {
  type Asker,
  claim,
  fingerprint,
  type KeyedRequest,
  type Proven,
  parseIdempotencyKey,
  type StoredAnswer,
} from './idempotency.ts'
import { addIdentityRoutes } from './identity.rest.ts'
import { useEvent } from './nip98-events.ts'
import { makeSeenSessions } from './seen-sessions.ts'
import { digestOfToken, ownerOfToken, SESSION_TTL_MS } from './sessions.ts'
import { sweepIdentity } from './sweep-identity.ts'

/** What a use case answers: `body` is sent as JSON, and `null` as no body at all. */
export type Answer = { status: number; headers?: Readonly<Record<string, string>>; body: JsonValue }

/** The use case of a mutation, in its transaction. */
export type Work = (tx: Transaction, owner: Hex) => Promise<Answer | Refusal>

/** A use case that first asks somebody else, such as a node. */
export type PreparedWork<Ready, Said> = {
  /**
   * What `prepare` would answer, where nobody has to be asked for it; null: somebody has. Then there is only one
   * transaction. Of a session that was seen before it begins with `work`: who asks is confirmed as it commits, and what
   * it answers is told only then; what it refuses is decided again when that is known.
   */
  atHand?: (owner: Hex) => Ready | null
  /**
   * Runs before the transaction, when the sender is known and the request was not answered before; where it changes
   * nothing (`isPreparedByReading`), also when that is only believed, and then again when it was not so.
   */
  prepare: (owner: Hex) => Promise<Ready>
  isPreparedByReading?: boolean
  /** Gets what was prepared, also a refusal. */
  work: (tx: Transaction, owner: Hex, ready: Ready) => Promise<Said | Refusal>
}

/** What has become of it since: sent instead of what was stored under the key. Null: that is sent. */
export type Later = (owner: Hex, stored: StoredAnswer) => Promise<Answer | null>

/** Who sends a request, and whether it was answered before. */
export interface Identity {
  /** Adds `/v1/sessions`, and makes every route that is added later able to call the functions below. */
  install(app: App): Promise<void>
  /**
   * The Nostr public key (x-only, hex) that signed this request by NIP-98 or opened the session whose token it
   * carries. Throws a `RefusalError` with AUTH_*, SESSION_INVALID or RATE_LIMITED. A NIP-98 event is spent by this
   * call, whatever comes of the request: call it once, and not together with `mutate`.
   */
  authenticate(request: FastifyRequest): Promise<Hex>
  /**
   * Authenticates, then runs `work` and stores its answer under the Idempotency-Key, all in one transaction, and
   * sends the answer (`return identity.mutate(…)` is a whole handler); a repeated request gets the stored answer with
   * the header `idempotency-replayed: true`. What `work` appends to the journal says which signed event authorized it
   * (see `authorizedBy`).
   * When `work` answers or throws a refusal, or throws a fault, nothing that it wrote, appended or enqueued stays.
   * The rules of `Transact` hold: `work` may run again, and touches nothing outside of its transaction. `later` is
   * asked when all that is committed, of a repeated request, too.
   */
  mutate<Ready>(
    request: FastifyRequest,
    reply: FastifyReply,
    work: Work | PreparedWork<Ready, Answer>,
    later?: Later,
  ): Promise<void>
  /**
   * `mutate` for an edge that words its answers itself (GraphQL): what `work` says is stored instead of an answer. Throws
   * a `RefusalError`.
   */
  perform<Ready, Said extends JsonValue>(
    request: FastifyRequest,
    steps: PreparedWork<Ready, Said>,
  ): Promise<{ owner: Hex; said: Said; replayed: boolean }>
  /** The owner of a session token, for transports without headers (WebSocket); `null` when it is not valid. */
  ownerOfToken(token: string): Promise<Hex | null>
  /** Deletes what has expired: NIP-98 events, sessions, idempotency keys. Run it every few minutes. */
  sweep(): Promise<void>
}

export type IdentityOptions = {
  transact: Transact
  database: OpenDatabase
  /** Milliseconds since 1970. */
  clock: () => number
  /**
   * What clients put before the path when they sign a URL, e.g. `https://api.shop.example`: behind a proxy that is
   * the proxy's address (HOLDFAST_PUBLIC_URL), never what a Host or Forwarded header says, which anybody can write.
   */
  publicUrl: string
  /** Default: `SESSION_TTL_MS`. */
  sessionTtlMs?: number
  /** Counts requests by owner, in addition to the limit by address. */
  rateLimiter?: RateLimiter
}

export function makeIdentity(options: IdentityOptions): Identity {
  const { transact, clock, rateLimiter } = options
  const { db } = options.database
  const seen = makeSeenSessions()
  const publicUrl = options.publicUrl.replace(/\/+$/, '')

  const identity: Identity = {
    install: (app) =>
      addIdentityRoutes(app, {
        db,
        clock,
        sessionTtlMs: options.sessionTtlMs ?? SESSION_TTL_MS,
        credentialOf,
        ownerOf,
      }),
    authenticate: async (request) => ownerOf(credentialOf(request)),
    async mutate(request, reply, work, later) {
      const stored = (result: Answer | Refusal) => (isRefusal(result) ? result : serialize(reply, result))
      const { owner, answer, replayed } =
        typeof work === 'function'
          ? await answerOnce(
              { transact, clock, seen, admit },
              await askerOf(credentialOf(request)),
              keyedRequest(request),
              async (tx, owner) => stored(await work(tx, owner)),
            )
          : await answerPrepared(request, {
              ...work,
              work: async (...prepared) => stored(await work.work(...prepared)),
            })
      if (replayed) reply.header('idempotency-replayed', 'true')
      const kept = orThrow(answer)
      const since = later ? await later(owner, kept) : null
      await send(reply, since === null ? kept : serialize(reply, since))
    },
    async perform(request, steps) {
      const { owner, answer, replayed } = await answerPrepared(request, {
        ...steps,
        async work(...prepared) {
          const said = await steps.work(...prepared)
          return isRefusal(said) ? said : { status: 200, headers: {}, body: JSON.stringify(said) }
        },
      })
      return { owner, said: JSON.parse(orThrow(answer).body), replayed }
    },
    ownerOfToken: (token) => ownerOfToken(db, token, clock()),
    sweep: () => sweepIdentity(db, clock()),
  }
  return identity

  function credentialOf(request: FastifyRequest): Credential {
    return orThrow(readCredential(request, { publicUrl, now: clock() }))
  }

  /** Spends the credential when it is an event. The signature was checked before: strangers cause no writes. */
  async function ownerOf(credential: Credential): Promise<Hex> {
    const owner =
      credential.kind === 'event'
        ? (await spend(credential)).owner
        : ((await ownerOfToken(db, credential.token, clock())) ?? orThrow<Hex>(refuse('SESSION_INVALID')))
    await admit(owner)
    return owner
  }

  async function answerPrepared<Ready>(
    request: FastifyRequest,
    steps: PreparedWork<Ready, StoredAnswer>,
  ): Promise<Answered> {
    const { atHand, prepare, work } = steps
    const asker = await askerOf(credentialOf(request))
    const asked = keyedRequest(request)
    const believed = 'owner' in asker ? asker : seen.get(asker.tokenSha256)
    const prepareEarly = believed && beforeWeKnow(steps, believed.owner)
    if (prepareEarly) {
      await admit(believed.owner)
      const early = { prepare: prepareEarly, work }
      const answered = await answerAsBelieved({ transact, clock }, asker, believed, asked, early)
      if (answered !== null) return answered
      if ('tokenSha256' in asker) seen.forget(asker.tokenSha256)
    }
    const admitOnce = prepareEarly ? admitted : admit
    if (!atHand) return answerAfterAsking(asker, asked, { prepare, work }, admitOnce)
    try {
      const once = { transact, clock, seen, admit: admitOnce }
      return await answerOnce(once, asker, asked, async (tx, owner) => {
        const ready = atHand(owner)
        if (ready === null) throw new NotAtHand()
        return work(tx, owner, ready)
      })
    } catch (error) {
      if (!(error instanceof NotAtHand)) throw error
      return answerAfterAsking(asker, asked, { prepare, work }, admitted)
    }
  }

  /** A statement of its own says who asks and whether that was answered before: nothing is held while it is prepared. */
  async function answerAfterAsking<Ready>(
    asker: Asker,
    asked: KeyedRequest & { requestId: string },
    { prepare, work }: PreparedWork<Ready, StoredAnswer>,
    admit: (owner: Hex) => Promise<void>,
  ): Promise<Answered> {
    const claimed = await claim(db, asker, asked, clock())
    if (claimed.owner !== null) await admit(claimed.owner)
    if (claimed.state === 'declined') throw new RefusalError(claimed.refusal)
    const { owner } = claimed
    if (claimed.state === 'stored') return { owner, answer: claimed.answer, replayed: true }
    seen.learn(asker, claimed)
    const ready = await prepare(owner)
    return answerOnce({ transact, clock, seen, admit: admitted }, claimed, asked, (tx) =>
      work(tx, owner, ready),
    )
  }

  /** An event is spent in a commit of its own; a token is looked up in the transaction of what it asks for. */
  async function askerOf(credential: Credential): Promise<Asker> {
    if (credential.kind === 'event') return spend(credential)
    return { tokenSha256: digestOfToken(credential.token) ?? orThrow<Uint8Array>(refuse('SESSION_INVALID')) }
  }

  async function spend(credential: Extract<Credential, { kind: 'event' }>): Promise<Proven> {
    if (!(await useEvent(db, credential))) throw new RefusalError(refuse('AUTH_EVENT_REPLAYED'))
    const { event } = credential
    return { owner: event.pubkey, authority: { id: event.id, event } }
  }

  async function admit(owner: Hex): Promise<void> {
    await rateLimiter?.consume(owner)
  }
}

/** What may be prepared for who only seems to ask; null: nothing. */
function beforeWeKnow<Ready>(
  { atHand, prepare, isPreparedByReading }: PreparedWork<Ready, unknown>,
  owner: Hex,
): (() => Promise<Ready>) | null {
  const ready = atHand?.(owner) ?? null
  if (ready !== null) return async () => ready
  return isPreparedByReading ? () => prepare(owner) : null
}

/** Of a request that was counted already. */
const admitted = async () => undefined

/** Thrown so that the transaction is rolled back before anybody is asked. */
class NotAtHand extends Error {
  override readonly name = 'NotAtHand'
}

function keyedRequest(request: FastifyRequest): KeyedRequest & { requestId: string } {
  const key = orThrow(parseIdempotencyKey(request.headers['idempotency-key']))
  const { method, originalUrl } = request
  const digest = fingerprint(method, originalUrl, digestOfBody(request))
  return { key, fingerprint: digest, requestId: request.id }
}

/** Within the transaction: an answer that breaks its own schema is a fault, and then nothing may have happened. */
function serialize(reply: FastifyReply, { status, headers = {}, body }: Answer): StoredAnswer {
  if (body === null) return { status, headers, body: '' }
  const bySchema = reply.getSerializationFunction(String(status)) as ((body: JsonValue) => string) | undefined
  return { status, headers, body: (bySchema ?? JSON.stringify)(body) }
}

function send(reply: FastifyReply, { status, headers, body }: StoredAnswer): FastifyReply {
  reply.code(status).headers(headers)
  return body === '' ? reply.send() : reply.type('application/json; charset=utf-8').send(body)
}
