import websocket from '@fastify/websocket'
import { refuse } from '@holdfast/core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ExecutionResult } from 'graphql'
import { handleProtocols } from 'graphql-ws'
import { createYoga, isAsyncIterable, mapAsyncIterator, type Plugin } from 'graphql-yoga'
import type { App } from '../../platform/http/app.ts'
import { answerHandshakeError } from '../../platform/http/client-error.ts'
import { RefusalError } from '../../platform/http/problem.ts'
import { makeMemoryRateLimiter } from '../../platform/http/rate-limiter.ts'
import type { EscrowContext } from './builder.ts'
import { type ContextDeps, httpContext } from './graphql-context.ts'
import { wordResult } from './graphql-errors.ts'
import { limitsRule, parseQuery } from './graphql-limits.ts'
import { serveSocket } from './graphql-socket.ts'
import { escrowSchema, schemaText } from './schema.ts'
import { makeSeats } from './seats.ts'
import { isEventStream, sendEvents } from './send-events.ts'

export type GraphqlDeps = Omit<ContextDeps, 'seats'>

/** Not `request`: that is Yoga’s own. */
type Exchange = { readonly asked: FastifyRequest; readonly reply: FastifyReply }

const PATH = '/graphql'
const MAX_MESSAGE_BYTES = 64 * 1024
/** Of one key, or of one address that names none. */
const MAX_SUBSCRIPTIONS = 200
/** Of one address, whatever keys it names. */
const MAX_SUBSCRIPTIONS_OF_ADDRESS = 2_000
const MAX_SUBSCRIPTIONS_IN_ALL = 20_000
/** Of one address. */
const MAX_SOCKETS = 100
const MAX_SOCKETS_IN_ALL = 10_000
/** Of one address, over WebSockets; others count as the requests that they are. */
const SUBSCRIPTIONS_A_MINUTE = 1_200

const SCHEMA_TEXT = schemaText()

/** GraphQL over HTTP, SSE and WebSocket: it only translates. */
export async function addGraphqlRoutes(app: App, given: GraphqlDeps): Promise<void> {
  const seats = {
    byKey: makeSeats({ perKey: MAX_SUBSCRIPTIONS, inAll: MAX_SUBSCRIPTIONS_IN_ALL }),
    byAddress: makeSeats({ perKey: MAX_SUBSCRIPTIONS_OF_ADDRESS, inAll: MAX_SUBSCRIPTIONS_IN_ALL }),
  }
  const deps = { ...given, seats }
  const yoga = createYoga<Exchange, EscrowContext>({
    schema: escrowSchema,
    graphqlEndpoint: PATH,
    context: ({ asked, reply }) => httpContext(deps, asked, reply),
    plugins: [limits, wordedErrors],
    // `wordedErrors` does it, which knows the request.
    maskedErrors: false,
    // Its page loads scripts of strangers.
    graphiql: false,
    landingPage: false,
    // Pages of other origins are dealt with for all routes alike.
    cors: false,
    batching: false,
    logging: false,
  })
  if (!app.hasDecorator('websocketServer')) {
    await app.register(websocket, {
      options: { maxPayload: MAX_MESSAGE_BYTES, handleProtocols },
      // A message that is too large, say, or a connection that broke: no fault of ours.
      errorHandler(error, socket, request) {
        request.log.debug({ err: error, requestId: request.id }, 'a WebSocket broke')
        socket.terminate()
      },
    })
    app.websocketServer.on('wsClientError', answerHandshakeError)
  }
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    refuseBrokenJson(request.query)
    const response = await yoga.handleNodeRequestAndResponse(request, reply, { asked: request, reply })
    if (isEventStream(response)) return sendEvents(reply, response)
    // Yoga answers it without a word.
    if (response.status === 406) throw new RefusalError(refuse('ACCEPT_UNSUPPORTED'))
    for (const [name, value] of response.headers) reply.header(name, value)
    return reply.code(response.status).send(response.body)
  }
  const wsHandler = serveSocket({
    ...deps,
    sockets: makeSeats({ perKey: MAX_SOCKETS, inAll: MAX_SOCKETS_IN_ALL }),
    subscribing: makeMemoryRateLimiter({ points: SUBSCRIPTIONS_A_MINUTE, seconds: 60 }),
  })
  const schema = { hide: true }
  // Plain text, so that a browser shows it instead of saving it.
  app.get('/schema.graphql', { schema }, async (_request, reply) =>
    reply.type('text/plain; charset=utf-8').send(SCHEMA_TEXT),
  )
  app.route({ url: PATH, method: 'POST', schema, handler })
  app.route({ url: PATH, method: 'GET', schema, handler, wsHandler })
}

/** What a GET has as JSON in its query string; Yoga takes a mistake in it for one of ours. */
function refuseBrokenJson(query: unknown): void {
  const { variables, extensions } = query as Readonly<Record<string, unknown>>
  for (const text of [variables, extensions].flat()) {
    if (typeof text !== 'string') continue
    try {
      JSON.parse(text)
    } catch (cause) {
      throw new RefusalError(refuse('JSON_INVALID'), { cause })
    }
  }
}

const limits: Plugin = {
  onParse({ setParseFn }) {
    setParseFn(parseQuery)
  },
  onValidate({ addValidationRule }) {
    addValidationRule(limitsRule)
  },
}

/** No error leaves in other words than the catalogue's, also within a subscription. */
const wordedErrors: Plugin<EscrowContext, Exchange> = {
  onResultProcess({ result, setResult, serverContext: { asked } }) {
    const worded = (one: ExecutionResult) => wordResult(one, asked)
    if (isAsyncIterable(result)) setResult(mapAsyncIterator(result, worded))
    else if (!Array.isArray(result)) setResult(worded(result))
  },
}
