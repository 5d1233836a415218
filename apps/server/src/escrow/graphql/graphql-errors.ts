import { REFUSALS, type Refusal, refuse } from '@holdfast/core'
import type { FastifyError, FastifyRequest } from 'fastify'
import { type ExecutionResult, GraphQLError } from 'graphql'
import { explain } from '../../platform/http/error-handler.ts'

/** What stands in `extensions` of every error; `code` is of the catalogue of refusals. */
export type ErrorExtensions = {
  readonly code: string
  readonly status: number
  /** What to do. */
  readonly hint: string
  readonly requestId: string
  readonly data: Refusal['data']
}

/** No error of it leaves in other words than the catalogue's. */
export function wordResult(result: ExecutionResult, request: FastifyRequest): ExecutionResult {
  return result.errors ? { ...result, errors: wordErrors(result.errors, request) } : result
}

export function wordErrors(errors: readonly unknown[], request: FastifyRequest): GraphQLError[] {
  const how = {
    requestId: request.id,
    explain: (error: Error) => explain(error as FastifyError, request),
  }
  return errors.map((error) => wordError(error, how))
}

/**
 * An error as clients see it. What the query itself has wrong is said in GraphQL's words; a refusal and a fault in
 * those of the catalogue, by `explain`, which logs a fault once.
 */
function wordError(
  error: unknown,
  { requestId, explain }: { requestId: string; explain: (error: Error) => Refusal },
): GraphQLError {
  const located = error instanceof GraphQLError ? error : null
  const cause = causeOf(error)
  const ofQuery = cause instanceof GraphQLError
  const refusal = ofQuery ? refuse('REQUEST_INVALID') : explain(cause)
  const { status, title, hint } = REFUSALS[refusal.refused]
  const extensions: ErrorExtensions = { code: refusal.refused, status, hint, requestId, data: refusal.data }
  const { http } = (located?.extensions ?? {}) as { http?: object }
  return new GraphQLError(ofQuery && located ? located.message : title, {
    ...(located?.nodes && { nodes: located.nodes }),
    ...(located?.source && { source: located.source }),
    ...(located?.positions && { positions: located.positions }),
    ...(located?.path && { path: located.path }),
    // Yoga takes it as the HTTP status, and out of the answer.
    extensions: { ...extensions, ...(http && { http }) },
  })
}

/** What was thrown, without what GraphQL put around it; a GraphQLError, when GraphQL itself had something to say. */
function causeOf(thrown: unknown): Error {
  if (thrown instanceof GraphQLError) return thrown.originalError ? causeOf(thrown.originalError) : thrown
  return thrown instanceof Error
    ? thrown
    : new Error('Something that is no error was thrown.', { cause: thrown })
}
