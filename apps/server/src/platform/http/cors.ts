import cors from '@fastify/cors'
import type { App } from './app.ts'

const DAY_SECONDS = 86_400

/**
 * Lets pages of these origins, and no others, call every route and read the answers. Nobody is known by a cookie: a page
 * can do no more than the key or the token that it has.
 */
export async function letPagesCall(app: App, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: ['accept', 'authorization', 'content-type', 'idempotency-key', 'x-request-id'],
    exposedHeaders: ['x-request-id', 'retry-after', 'location', 'idempotency-replayed'],
    maxAge: DAY_SECONDS,
    // Who asks with OPTIONS and is no browser is answered, too, and not in plain text.
    strictPreflight: false,
  })
}
