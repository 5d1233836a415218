import { type MutationOptions, withSignal } from '../call-options.ts'
import type { Caller } from '../caller.ts'
import { HoldfastError } from '../holdfast-error.ts'
import { randomHex } from '../random-hex.ts'
import type { Transport } from '../transport.ts'
import { readGraphqlAnswer, toVariables } from './graphql-answer.ts'
import { readEvents } from './server-sent-events.ts'

export type GraphqlRequest = {
  readonly document: string
  readonly variables: Readonly<Record<string, unknown>>
}

export type GraphqlClient = {
  /** `data` of the answer. What was not answered is asked again. */
  query(request: GraphqlRequest, options?: MutationOptions): Promise<Record<string, unknown>>
  /** The same, with one Idempotency-Key for all its repetitions, and signed. */
  mutate(request: GraphqlRequest, options?: MutationOptions): Promise<Record<string, unknown>>
  /** `data` of each answer, until the server ends it or the connection breaks, which throws. */
  subscribe(request: GraphqlRequest, signal: AbortSignal): AsyncGenerator<Record<string, unknown>>
}

const PATH = 'graphql'

export function makeGraphqlClient({
  transport,
  caller,
}: {
  transport: Transport
  caller: Caller
}): GraphqlClient {
  const callOf = ({ document, variables }: GraphqlRequest) => ({
    method: 'POST' as const,
    path: PATH,
    body: { query: document, variables: toVariables(variables) },
  })
  /** A session may end while it is used: whoever asks next opens another. */
  const readUpdate = (data: string): Record<string, unknown> => {
    try {
      return readGraphqlAnswer(JSON.parse(data))
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'SESSION_INVALID') caller.renew()
      throw error
    }
  }
  const read = (answer: unknown, { status }: { status: number }) => readGraphqlAnswer(answer, status)
  return {
    async query(request, options = {}) {
      const call = { ...callOf(request), read, ...withSignal(options) }
      const answer = await caller.asWhoWeAre((authorization) =>
        transport.send({ ...call, ...(authorization && { authorization }) }),
      )
      return answer as Record<string, unknown>
    },
    async mutate(request, options = {}) {
      const idempotencyKey = options.idempotencyKey ?? randomHex(16)
      const call = { ...callOf(request), read, idempotencyKey, ...withSignal(options) }
      return (await caller.send(call)) as Record<string, unknown>
    },
    async *subscribe(request, signal) {
      const call = { ...callOf(request), read, signal, accept: 'text/event-stream' }
      const response = await caller.asWhoWeAre((authorization) =>
        transport.open({ ...call, ...(authorization && { authorization }) }),
      )
      for await (const { event, data } of readEvents(response, signal)) {
        if (event === 'complete') return
        if (event === 'next') yield readUpdate(data)
      }
    },
  }
}
