import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { refuse } from '@holdfast/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { RefusalError } from '../platform/http/problem.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** SHA-256 of the body's bytes as they came; `null`: none was read. See `bodyDigest`. */
    bodySha256: Uint8Array | null
  }
}

const EMPTY_SHA256: Uint8Array = createHash('sha256').digest()

/**
 * Reads JSON, which is all that we read, and keeps the SHA-256 of its raw bytes: NIP-98 signs those, and the
 * Idempotency-Key binds them. By the parser, because a stream in between costs more than all the rest of reading.
 */
export const bodyDigest = fastifyPlugin(async (app: FastifyInstance) => {
  app.decorateRequest('bodySha256', null)
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    request.bodySha256 = createHash('sha256').update(body).digest()
    // RFC 8259 section 8.1. Otherwise what is signed and what is read would be two texts.
    if (!isUtf8(body)) return done(new RefusalError(refuse('JSON_INVALID')))
    const json = body.toString()
    if (spellsWhatCannotBeKept(json)) return done(new RefusalError(refuse('REQUEST_INVALID', { problem })))
    parse(request, json, done)
  })
})

const problem = 'a text holds U+0000 or half of a surrogate pair'

/** PostgreSQL keeps neither. In UTF-8 that is JSON only escapes spell them. */
function spellsWhatCannotBeKept(json: string): boolean {
  return json.includes('\\u') && UNKEPT.test(json.replaceAll('\\\\', ' '))
}

const UNKEPT = /\\u0000|\\ud[89ab]..(?!\\ud[c-f])|(?<!\\ud[89ab]..)\\ud[c-f]/i

/** The digest of a request that was parsed; throws when something else has read its body. */
export function digestOfBody(request: FastifyRequest): Uint8Array {
  if (request.bodySha256) return request.bodySha256
  if (hasBody(request) && isBodyRead(request))
    throw new Error('The body digest is missing: install identity before other routes.')
  return EMPTY_SHA256
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
