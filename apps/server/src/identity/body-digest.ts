import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest, RequestPayload } from 'fastify'
import fastifyPlugin from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyRequest {
    /** SHA-256 of the body's bytes as they came; `null` until the body was read. See `installBodyDigest`. */
    bodySha256: Uint8Array | null
  }
}

const EMPTY_SHA256: Uint8Array = createHash('sha256').digest()

/**
 * Makes every request carry the SHA-256 of its raw body: NIP-98 signs those bytes, and the Idempotency-Key binds
 * them. It must be registered before the routes that need it.
 */
export const bodyDigest = fastifyPlugin(async (app: FastifyInstance) => {
  app.decorateRequest('bodySha256', null)
  app.addHook('preParsing', async (request, _reply, payload) => {
    if (!hasBody(request) || !isBodyRead(request)) {
      request.bodySha256 = EMPTY_SHA256
      return payload
    }
    return Readable.from(digestWhileRead(request, payload), { objectMode: false })
  })
})

/** The digest of a request that was parsed; throws when `bodyDigest` was registered after the route. */
export function digestOfBody(request: FastifyRequest): Uint8Array {
  if (!request.bodySha256)
    throw new Error('The body digest is missing: install identity before other routes.')
  return request.bodySha256
}

export function isEmptyBody(digest: Uint8Array): boolean {
  return Buffer.compare(digest, EMPTY_SHA256) === 0
}

/** RFC 9112 section 6.3: without either header a request has no body. */
function hasBody(request: FastifyRequest): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
  return encoding !== undefined || (length !== undefined && Number(length) > 0)
}

/** Fastify never reads the body of these; RFC 9110 section 9.3.1 gives it no meaning, so it is as if there were none. */
function isBodyRead({ method }: FastifyRequest): boolean {
  return method !== 'GET' && method !== 'HEAD'
}

// A generator does not touch the socket before the parser reads: a body that nobody reads (415, 413) is then
// discarded by Node itself, and the connection stays usable.
async function* digestWhileRead(
  request: FastifyRequest,
  payload: RequestPayload,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  for await (const chunk of payload) {
    hash.update(chunk as Uint8Array)
    yield chunk as Uint8Array
  }
  request.bodySha256 = hash.digest()
}
