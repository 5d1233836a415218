import type { RefusalCode } from '@holdfast/core'

/** What goes wrong on this side of the wire. */
export type ClientErrorCode =
  /** No answer came, however often it was asked. The request may have been executed: repeat it with the same key. */
  | 'NETWORK_FAILED'
  /** An answer that is not Holdfast's. */
  | 'RESPONSE_INVALID'
  /** What was waited for has not ended yet. */
  | 'WAIT_TIMED_OUT'
  /** A wallet shows a preimage that is not that of the payment hash. */
  | 'PREIMAGE_WRONG'
  /** The method needs a signer, and the client was made without one. */
  | 'SIGNER_REQUIRED'

/** The only error that the client throws, save what the caller's own signer throws and its `AbortSignal`'s reason. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError'
  /** A code of the server's catalogue, possibly a newer one, or one of this client. */
  readonly code: RefusalCode | ClientErrorCode | (string & {})
  /** The HTTP status; 0 when there was none. */
  readonly status: number
  /** What is wrong. */
  readonly title: string
  /** What to do. */
  readonly detail: string
  /** Tell it to the operator; null when no answer came. */
  readonly requestId: string | null
  /** What the code adds, such as `phase` or `retryAfterSeconds`. */
  readonly data: Readonly<Record<string, unknown>>

  constructor(
    problem: Pick<HoldfastError, 'code' | 'status' | 'title' | 'detail' | 'requestId'> & {
      readonly data?: Readonly<Record<string, unknown>>
    },
    options?: ErrorOptions,
  ) {
    super(`${problem.code}: ${problem.title}`, options)
    this.code = problem.code
    this.status = problem.status
    this.title = problem.title
    this.detail = problem.detail
    this.requestId = problem.requestId
    this.data = problem.data ?? {}
  }
}

export function clientError(
  code: ClientErrorCode,
  title: string,
  detail: string,
  about: { status?: number; requestId?: string | null; cause?: unknown } = {},
): HoldfastError {
  const { status = 0, requestId = null, cause } = about
  return new HoldfastError({ code, status, title, detail, requestId }, cause === undefined ? {} : { cause })
}
