import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { refuse } from '@holdfast/core'
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifySchema,
  LogController,
  type RawServerDefault,
} from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Log } from '../log.ts'
import { answerClientError } from './client-error.ts'
import { letPagesCall } from './cors.ts'
import { handleError, sendRefusal } from './error-handler.ts'
import { addHealthRoutes, type Dependency } from './health.ts'
import { addOpenApi, type OpenApiInfo } from './openapi.ts'
import { orThrow } from './problem.ts'
import { addProblemRoutes } from './problem-routes.ts'
import { addressKey, makeMemoryRateLimiter } from './rate-limiter.ts'
import { refuseEncodedBodies } from './refuse-encoded-bodies.ts'
import { refuseOddHeaders } from './refuse-odd-headers.ts'
import { rememberMethods } from './remember-methods.ts'
import { assertStrict } from './strict-schemas.ts'

/** The HTTP server; routes are added to it with zod schemas, whose types their handlers see. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>

export type HttpConfig = {
  publicUrl: string | null
  /** Requests per minute and address; 0: no limit. */
  rateLimit: number
  /** Addresses of proxies whose x-forwarded-for is believed. */
  trustedProxies: readonly string[]
  /** Of pages that may call the API from elsewhere. Default: none. */
  corsOrigins?: readonly string[]
  /** Default 64 KiB. */
  bodyLimitBytes?: number
  /** A request must have arrived by then. Default 15 s. */
  requestTimeoutMs?: number
  /** A handler must have answered by then; afterwards INTERNAL is sent. Default 30 s. */
  handlerTimeoutMs?: number
}

/**
 * The HTTP edge. Handlers answer values or throw `RefusalError`, which becomes application/problem+json; anything else
 * that is thrown is a fault: logged once with its cause, answered INTERNAL. Request schemas must be strict.
 * `close()` stops accepting, refuses what still comes on open connections and resolves when running requests ended.
 */
export async function makeHttpApp(options: {
  config: HttpConfig
  log: Log
  readiness: readonly Dependency[]
  openapi: OpenApiInfo
}): Promise<App> {
  const { config, log, readiness, openapi } = options
  const { requestTimeoutMs = 15_000 } = config
  const app: App = fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    // One of its own for each request costs more than a cached answer; the few lines that are logged name the request.
    childLoggerFactory: (logger) => logger,
    requestIdHeader: false,
    genReqId: requestIdOf,
    bodyLimit: config.bodyLimitBytes ?? 64 * 1024,
    requestTimeout: requestTimeoutMs,
    http: {
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(requestTimeoutMs / 2, 5_000),
      // Ours says so as a problem.
      requireHostHeader: false,
    },
    handlerTimeout: config.handlerTimeoutMs ?? 30_000,
    trustProxy: config.trustedProxies.length > 0 ? [...config.trustedProxies] : false,
    // Ours says so as a problem.
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: handleError,
    routerOptions: { maxParamLength: 512 },
  }).withTypeProvider<ZodTypeProvider>()

  let stopping = false
  app.addHook('preClose', async () => {
    stopping = true
  })
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(handleError)
  const methodsAt = rememberMethods(app)
  app.setNotFoundHandler((request, reply) => {
    const allowed = methodsAt(request.url)
    const isFound = allowed.length > 0 && !allowed.includes(request.method)
    if (!isFound) return sendRefusal(reply, refuse('ROUTE_NOT_FOUND'))
    // RFC 9110 section 15.5.6: "MUST generate an Allow header field".
    return sendRefusal(reply.header('allow', allowed.join(', ')), refuse('METHOD_NOT_ALLOWED'))
  })
  // JSON is the only body we read.
  app.removeContentTypeParser('text/plain')
  refuseLaxSchemas(app)
  // Before all that may refuse a request: a page must be able to read why.
  await letPagesCall(app, config.corsOrigins ?? [])
  addRequestHooks(app, log)
  app.addHook('onSend', async (_request, reply) => {
    // Else `close()` would wait for the client to let go of the connection.
    if (stopping) reply.header('connection', 'close')
  })
  app.addHook('onRequest', async (request) => {
    if (stopping && request.url !== '/ready') orThrow(refuse('SHUTTING_DOWN'))
  })
  addRateLimit(app, config.rateLimit)
  refuseEncodedBodies(app)
  refuseOddHeaders(app)

  await addOpenApi(app, openapi, config.publicUrl)
  addHealthRoutes(app, readiness, () => stopping)
  addProblemRoutes(app)
  return app
}

/** The caller's x-request-id when it is harmless in a log and a header, else a new one. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID()
}

function refuseLaxSchemas(app: App): void {
  app.addHook('onRoute', ({ schema, method, url }) => {
    const { body, querystring } = (schema ?? {}) as FastifySchema
    assertStrict(body, `The body of ${method} ${url}`)
    assertStrict(querystring, `The query of ${method} ${url}`)
  })
}

function addRequestHooks(app: App, log: Log): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'x-request-id': request.id,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
    // No text in PostgreSQL holds U+0000, so nothing can have it in its address.
    if (/^[^?]*%00/.test(request.url)) orThrow(refuse('ROUTE_NOT_FOUND'))
  })
  app.addHook('onResponse', async (request, reply) => {
    // The route's pattern, not its URL: a URL may hold what identifies a person.
    const { method, id: requestId, ip } = request
    const ms = Math.round(reply.elapsedTime * 10) / 10
    log.info(
      { requestId, method, route: request.routeOptions.url ?? null, status: reply.statusCode, ms, ip },
      'request',
    )
  })
}

const UNLIMITED = new Set(['/health', '/ready'])

function addRateLimit(app: App, perMinute: number): void {
  if (perMinute === 0) return
  const limiter = makeMemoryRateLimiter({ points: perMinute, seconds: 60 })
  app.addHook('onRequest', async (request) => {
    if (!UNLIMITED.has(request.routeOptions.url ?? '')) await limiter.consume(addressKey(request.ip))
  })
}
