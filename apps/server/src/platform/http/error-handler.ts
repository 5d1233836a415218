import { REFUSALS, type Refusal, type RefusalCode, refuse } from '@holdfast/core'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { PROBLEM_CONTENT_TYPE, type Problem, problemOf, RefusalError } from './problem.ts'

/** Fastify's own errors that are the client's; all others are faults of ours. */
const FASTIFY_REFUSALS: Record<string, () => Refusal> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => refuse('BODY_TOO_LARGE'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => refuse('CONTENT_TYPE_UNSUPPORTED'),
  // The method QUERY, which Fastify reads a body of wherever it goes to.
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: () => refuse('CONTENT_TYPE_UNSUPPORTED'),
  FST_ERR_CTP_EMPTY_JSON_BODY: () => refuse('JSON_INVALID'),
  FST_ERR_CTP_INVALID_JSON_BODY: () => refuse('JSON_INVALID'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () => refuse('REQUEST_INVALID'),
  FST_ERR_BAD_URL: () => refuse('ROUTE_NOT_FOUND'),
  FST_ERR_MAX_PARAM_LENGTH: () => refuse('ROUTE_NOT_FOUND'),
}

/** node-postgres says only in words that no connection became free in time. Nothing was begun. */
const POOL_EXHAUSTED = 'timeout exceeded when trying to connect'

/** Answers everything that was thrown: a refusal as its problem; a fault is logged once and answered without detail. */
export function handleError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error.validation) {
    const place = error.validationContext ?? 'body'
    const errors = error.validation.map(({ instancePath, message }) => ({
      path: `${place}${instancePath.replaceAll('/', '.')}`.replace(/\.$/, ''),
      message: message ?? 'is invalid',
    }))
    return sendProblem(reply, problemOf(refuse('REQUEST_INVALID'), request.id, errors))
  }
  return sendRefusal(reply, explain(error, request))
}

/** The refusal that a thrown error stands for; INTERNAL for a fault, which is logged here, once. */
export function explain(error: FastifyError, request: FastifyRequest): Refusal {
  if (error.validation) return refuse('REQUEST_INVALID')
  const refusal = wentAway(error, request) ? refuse('REQUEST_TIMEOUT') : refusalOf(error)
  if (refusal) return refusal
  request.log.error(
    { err: error, requestId: request.id, route: request.routeOptions.url },
    'a request failed',
  )
  return refuse('INTERNAL')
}

/** The sender may still be sending a body that nobody reads, or a connection that is about to be closed. */
const CLOSING: ReadonlySet<RefusalCode> = new Set([
  'BODY_TOO_LARGE',
  'CONTENT_ENCODING_UNSUPPORTED',
  'SHUTTING_DOWN',
])

export function sendRefusal(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { retryAfterSeconds } = refusal.data
  if (typeof retryAfterSeconds === 'number') reply.header('retry-after', retryAfterSeconds)
  // RFC 9110 section 15.5.2: "MUST send a WWW-Authenticate header field". By NIP-98, or the token of a session.
  if (REFUSALS[refusal.refused].status === 401) reply.header('www-authenticate', 'Nostr, Bearer')
  if (CLOSING.has(refusal.refused)) reply.header('connection', 'close')
  return sendProblem(reply, problemOf(refusal, reply.request.id))
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  // As text, so that the route's response schema is not applied.
  return reply.code(problem.status).type(PROBLEM_CONTENT_TYPE).send(JSON.stringify(problem))
}

function refusalOf(error: FastifyError): Refusal | null {
  if (error instanceof RefusalError) return error.refusal
  if (error.message === POOL_EXHAUSTED) return refuse('OVERLOADED', { retryAfterSeconds: 2 })
  const known = FASTIFY_REFUSALS[error.code]
  if (known) return known()
  // secure-json-parse's refusal of __proto__ and the parser's own errors carry the status but no code.
  return error instanceof SyntaxError && error.statusCode === 400 ? refuse('JSON_INVALID') : null
}

/** The client closed the connection before its request was complete; nobody reads the answer. */
function wentAway(error: FastifyError, request: FastifyRequest): boolean {
  return error.code === 'ECONNRESET' && request.raw.complete === false
}
