import { isRefusal, REFUSALS, type Refusal, type RefusalCode } from '@holdfast/core'
import { z } from 'zod'

/** A refusal on its way through code that answers something else; the HTTP edge answers it as a problem. */
export class RefusalError extends Error {
  override readonly name = 'RefusalError'
  readonly refusal: Refusal
  constructor(refusal: Refusal, options?: ErrorOptions) {
    super(`${refusal.refused}: ${REFUSALS[refusal.refused].title}`, options)
    this.refusal = refusal
  }
}

/** The value itself; a refusal is thrown as `RefusalError`. */
export function orThrow<T>(value: T | Refusal): T {
  if (isRefusal(value)) throw new RefusalError(value)
  return value
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json'

/** RFC 9457 problem details. `code` is stable; what a refusal adds stands beside these members. */
const problemSchema = z
  .looseObject({
    type: z.string().describe('Address of the page about this code, relative to this server.'),
    title: z.string().describe('What is wrong.'),
    status: z.number().int().describe('The HTTP status.'),
    detail: z.string().describe('What to do.'),
    code: z.string().describe('Stable: clients may switch on it.'),
    requestId: z.string().describe('Tell it to the operator.'),
    errors: z
      .array(z.strictObject({ path: z.string(), message: z.string() }))
      .optional()
      .describe('With REQUEST_INVALID: each place that is wrong.'),
  })
  .meta({ title: 'Problem' })

export type Problem = z.infer<typeof problemSchema>

export function problemOf(refusal: Refusal, requestId: string, errors?: Problem['errors']): Problem {
  const { status, title, hint } = REFUSALS[refusal.refused]
  return {
    ...refusal.data,
    type: `/problems/${refusal.refused}`,
    title,
    status,
    detail: hint,
    code: refusal.refused,
    requestId,
    ...(errors && { errors }),
  }
}

/** For a route's `response`: documents the codes that it may refuse with, grouped by status. */
export function refusals(...codes: RefusalCode[]): Record<number, typeof problemSchema> {
  const byStatus = Map.groupBy(codes, (code) => REFUSALS[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [status, problemSchema.describe(group.join(', '))]),
  )
}
