import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { ExecutionResult } from 'graphql'
import { createYoga, isAsyncIterable, mapAsyncIterator, type Plugin } from 'graphql-yoga'
import type { Identity } from '../../identity/identity.ts'
import type { App } from '../../platform/http/app.ts'
import { explain } from '../../platform/http/error-handler.ts'
import type { EscrowContext } from './builder.ts'
import { wordError } from './graphql-errors.ts'
import { escrowSchema } from './schema.ts'

export type GraphqlDeps = {
  readonly identity: Pick<Identity, 'authenticate' | 'perform'>
  readonly escrows: EscrowContext['escrows'] & Pick<EscrowContext, 'moment'>
}

/** Not `request`: that is Yoga’s own. */
type Exchange = { readonly asked: FastifyRequest; readonly reply: FastifyReply }

const PATH = '/graphql'

/** GraphQL over HTTP: only translates; what is decided is decided by the use cases behind the context. */
export function addGraphqlRoutes(app: App, deps: GraphqlDeps): void {
  const yoga = createYoga<Exchange, EscrowContext>({
    schema: escrowSchema,
    graphqlEndpoint: PATH,
    context: (exchange) => contextOf(deps, exchange),
    plugins: [wordedErrors],
    // `wordedErrors` does it, which knows the request.
    maskedErrors: false,
    // Its page loads scripts of strangers.
    graphiql: false,
    landingPage: false,
    // As REST: a page of another origin is not answered.
    cors: false,
    batching: false,
    logging: false,
  })
  app.route({
    url: PATH,
    method: ['GET', 'POST'],
    schema: { hide: true },
    async handler(request, reply) {
      const response = await yoga.handleNodeRequestAndResponse(request, reply, { asked: request, reply })
      for (const [name, value] of response.headers) reply.header(name, value)
      return reply.code(response.status).send(response.body)
    },
  })
}

/** No error leaves in other words than the catalogue's, also within a subscription. */
const wordedErrors: Plugin<EscrowContext, Exchange> = {
  onResultProcess({ result, setResult, serverContext: { asked } }) {
    const worded = (one: ExecutionResult): ExecutionResult => {
      if (!one.errors) return one
      const how = {
        requestId: asked.id,
        explain: (error: Error) => explain(error as FastifyError, asked),
      }
      return { ...one, errors: one.errors.map((error) => wordError(error, how)) }
    }
    if (isAsyncIterable(result)) setResult(mapAsyncIterator(result, worded))
    else if (!Array.isArray(result)) setResult(worded(result))
  },
}

function contextOf({ identity, escrows }: GraphqlDeps, { asked, reply }: Exchange): EscrowContext {
  const isSigned = asked.headers.authorization !== undefined
  const once = <T>(ask: () => Promise<T>) => {
    let answer: Promise<T> | undefined
    return () => (answer ??= ask())
  }
  return {
    requestId: asked.id,
    escrows,
    viewer: once(async () => (isSigned ? identity.authenticate(asked) : null)),
    moment: once(() => escrows.moment()),
    async perform(steps) {
      const performed = await identity.perform(asked, steps)
      if (performed.replayed) reply.header('idempotency-replayed', 'true')
      return performed
    },
  }
}
