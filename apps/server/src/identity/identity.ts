import type { JsonValue, Refusal } from '@holdfast/core'
import type { Hex } from '@holdfast/lightning'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** What a use case answers: `body` is sent as JSON, and `null` as no body at all. */
export type Answer = { status: number; headers?: Readonly<Record<string, string>>; body: JsonValue }

/** Who sends a request, and whether it was answered before. `Tx` is the platform's `Transaction`. */
export interface Identity<Tx> {
  /**
   * The Nostr public key (x-only, hex) that signed this request by NIP-98 or opened the session whose token it
   * carries. Throws a `RefusalError` with an AUTH_*, SESSION_INVALID or RATE_LIMITED code. A NIP-98 event is spent by
   * this call: call it once per request, and not together with `mutate`.
   */
  authenticate(request: FastifyRequest): Promise<Hex>
  /**
   * Authenticates, then runs `work` and stores its answer under the Idempotency-Key, all in one transaction, and
   * sends the answer; a repeated request gets the stored answer with the header `idempotency-replayed: true`.
   * When `work` answers or throws a refusal, or throws a fault, nothing that it wrote or enqueued stays.
   */
  mutate(
    request: FastifyRequest,
    reply: FastifyReply,
    work: (tx: Tx, owner: Hex) => Promise<Answer | Refusal>,
  ): Promise<FastifyReply>
  /** The owner of a session token, for transports without headers (WebSocket); `null` when it is not valid. */
  ownerOfToken(token: string): Promise<Hex | null>
  /** Deletes what has expired: NIP-98 events, sessions, idempotency keys. Run it every few minutes. */
  sweep(): Promise<void>
}
