export type OutboundErrorCode =
  /** The URL, or the address that its host has, is not one that we go to. */
  | 'forbidden'
  /** No answer: the host does not resolve, does not listen, or its certificate is not right. */
  | 'unreachable'
  | 'too-slow'
  | 'too-large'
  /** An answer, but none that we take: its status, its encoding, its form, or one redirect too many. */
  | 'unusable'

/** Why a stranger's server gave us nothing. `message` names the host, never a path or a query. */
export class OutboundError extends Error {
  readonly code: OutboundErrorCode
  /** Of the answer, where it is what we do not take. */
  readonly status: number | null
  constructor(
    code: OutboundErrorCode,
    message: string,
    { status = null, ...options }: ErrorOptions & { status?: number | null } = {},
  ) {
    super(message, options)
    this.name = 'OutboundError'
    this.code = code
    this.status = status
  }
}
