import { type DestinationStream, destination, type Logger, pino } from 'pino'

/** The process's log. Bind what identifies the work (`log.child({ requestId })`); never log a secret. */
export type Log = Logger

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Names under which a careless call could hand a secret to the log, at the top or one level down. */
const REDACTED = [
  'authorization',
  'cookie',
  'macaroon',
  'mnemonic',
  'password',
  'preimage',
  'privateKey',
  'secret',
  'seed',
  'token',
].flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

/** One JSON object a line on stderr, so that stdout stays free for what the user asked to see. */
export function makeLog(options: { level: LogLevel; stream?: DestinationStream }): Log {
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"at":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED, censor: '[secret]' },
      serializers: { err: describeError, error: describeError },
    },
    options.stream ?? destination({ fd: 2, sync: true }),
  )
}

/** Of an error for many, such as a sweep's, so many are described. */
const MOST_ERRORS = 5

type DescribedError = {
  type: string
  message: string
  code?: unknown
  stack?: string
  cause?: unknown
  errors?: unknown[]
}

/**
 * What a log may know of an error. Only these members: libraries hang whole connections, rows and requests on theirs.
 */
function describeError(error: unknown): DescribedError | string {
  if (!(error instanceof Error)) return String(error)
  const { name, message, stack, cause } = error
  return {
    type: name,
    message,
    ...('code' in error && { code: error.code }),
    ...(stack !== undefined && { stack }),
    ...(cause !== undefined && { cause: describeError(cause) }),
    ...(error instanceof AggregateError && {
      errors: error.errors.slice(0, MOST_ERRORS).map(describeError),
    }),
  }
}
