import type { WebSocket } from '@fastify/websocket'
import type { FastifyError, FastifyRequest } from 'fastify'
import { type ExecutionArgs, GraphQLError, getOperationAST, specifiedRules, validate } from 'graphql'
import { CloseCode, makeServer, type SubscribePayload } from 'graphql-ws'
import { explain } from '../../platform/http/error-handler.ts'
import { addressKey, type RateLimiter } from '../../platform/http/rate-limiter.ts'
import { type ContextDeps, socketContext } from './graphql-context.ts'
import { wordErrors } from './graphql-errors.ts'
import { limitsRule, parseQuery } from './graphql-limits.ts'
import { escrowSchema } from './schema.ts'
import type { Seats } from './seats.ts'

/** A connection is looked after this often; one that has not answered in between is ended. */
const ALIVE_EVERY_MS = 15_000
const RULES = [...specifiedRules, limitsRule]

type FirstMessage = { token?: unknown }
type Extra = { readonly request: FastifyRequest }

/**
 * Subscriptions over the protocol graphql-transport-ws. The payload of `connection_init` may hold `token`, of a
 * session; it is looked up at every subscription and before every update.
 */
export function serveSocket(
  deps: ContextDeps & { sockets: Seats; subscribing: RateLimiter },
): (socket: WebSocket, request: FastifyRequest) => void {
  const server = makeServer<FirstMessage, Extra>({
    schema: escrowSchema,
    onConnect: ({ connectionParams }) =>
      connectionParams?.token === undefined || typeof connectionParams.token === 'string',
    async onSubscribe({ connectionParams, extra: { request } }, _id, payload) {
      const token = connectionParams?.token
      try {
        await deps.subscribing.consume(addressKey(request.ip))
        const args = readSubscription(payload)
        if (Array.isArray(args)) return args
        return {
          ...args,
          contextValue: socketContext(deps, request, typeof token === 'string' ? token : null),
        }
      } catch (error) {
        return [asGraphqlError(error as Error)]
      }
    },
    onNext: ({ extra }, _id, _payload, _args, { data = null, errors }) =>
      errors ? { data, errors: worded(errors, extra) } : { data },
    onError: ({ extra }, _id, _payload, errors) => worded(errors, extra),
  })

  return (socket, request) => {
    const fail = (error: Error, code = CloseCode.InternalServerError) =>
      socket.close(code, explain(error as FastifyError, request).refused)
    let leave: () => void
    try {
      leave = deps.sockets.take(addressKey(request.ip))
    } catch (error) {
      fail(error as Error, CloseCode.Forbidden)
      return
    }
    const closed = server.opened(
      {
        protocol: socket.protocol,
        send: (data) => send(socket, data),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (hear) => socket.on('message', (data) => void hear(String(data)).catch(fail)),
      },
      { request },
    )
    const stopLooking = endWhenSilent(socket)
    socket.once('close', (code, reason) => {
      leave()
      stopLooking()
      closed(code, String(reason)).catch(fail)
    })
  }
}

/** What is to be executed, or what is wrong with it. */
function readSubscription({
  query,
  variables,
  operationName,
}: SubscribePayload): ExecutionArgs | GraphQLError[] {
  const document = parseQuery(query)
  const errors = validate(escrowSchema, document, RULES)
  if (errors.length > 0) return [...errors]
  if (getOperationAST(document, operationName)?.operation !== 'subscription') {
    return [new GraphQLError('A WebSocket carries subscriptions; queries and mutations go over HTTP.')]
  }
  return {
    schema: escrowSchema,
    document,
    variableValues: variables ?? null,
    operationName: operationName ?? null,
  }
}

function worded(errors: readonly GraphQLError[], { request }: Extra) {
  return wordErrors(errors, request).map((error) => error.toJSON())
}

function asGraphqlError(error: Error): GraphQLError {
  return error instanceof GraphQLError ? error : new GraphQLError(error.message, { originalError: error })
}

function send(socket: WebSocket, data: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.readyState !== socket.OPEN) resolve()
    else socket.send(data, (error) => (error ? reject(error) : resolve()))
  })
}

/** A peer that went away without a word would keep its subscriptions for ever. */
function endWhenSilent(socket: WebSocket): () => void {
  let isAlive = true
  socket.on('pong', () => {
    isAlive = true
  })
  const timer = setInterval(() => {
    if (!isAlive) return socket.terminate()
    isAlive = false
    socket.ping()
  }, ALIVE_EVERY_MS)
  return () => clearInterval(timer)
}
