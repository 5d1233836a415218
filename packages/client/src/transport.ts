import type { Clock } from './clock.ts'
import { clientError, HoldfastError } from './holdfast-error.ts'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export type Call = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Relative to the base URL, without a leading slash. */
  readonly path: string
  readonly body?: unknown
  readonly idempotencyKey?: string
  readonly signal?: AbortSignal
  /** Asked before every attempt: a NIP-98 event may be sent only once. */
  readonly authorization?: () => Promise<string>
}

export type Transport = {
  /** The URL that a call is sent to, as it must be signed. */
  urlOf(path: string): string
  /** The decoded JSON of a 2xx answer. Throws `HoldfastError`. */
  send(call: Call): Promise<unknown>
}

const MAX_ATTEMPTS = 6
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 5_000
const ATTEMPT_TIMEOUT_MS = 30_000

/**
 * Sends a call, and sends it again when it went unanswered or the server asks to come back later: safe for reads, and
 * for mutations because every attempt carries the same Idempotency-Key.
 */
export function makeTransport({
  baseUrl,
  fetch,
  clock,
}: {
  baseUrl: string
  fetch: Fetch
  clock: Clock
}): Transport {
  const base = new URL(baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`)
  const urlOf = (path: string) => new URL(path, base).href

  const attempt = async (call: Call): Promise<Response> => {
    const headers: Record<string, string> = { accept: 'application/json, application/problem+json' }
    if (call.body !== undefined) headers['content-type'] = 'application/json'
    if (call.idempotencyKey !== undefined) headers['idempotency-key'] = call.idempotencyKey
    if (call.authorization !== undefined) headers.authorization = await call.authorization()
    const timeout = AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)
    try {
      return await fetch(urlOf(call.path), {
        method: call.method,
        headers,
        redirect: 'error',
        signal: call.signal ? AbortSignal.any([call.signal, timeout]) : timeout,
        ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
      })
    } catch (error) {
      call.signal?.throwIfAborted()
      throw clientError(
        'NETWORK_FAILED',
        'The server did not answer.',
        'Check the address and the connection. The request may have been executed: repeat it with the same key.',
        { cause: error },
      )
    }
  }

  const send = async (call: Call): Promise<unknown> => {
    for (let attempts = 1; ; attempts++) {
      let retryAfterMs = 0
      try {
        const response = await attempt(call)
        if (response.ok) return await jsonOf(response)
        retryAfterMs = retryAfter(response)
        throw await problemOf(response)
      } catch (error) {
        if (!(error instanceof HoldfastError) || !mayRepeat(error) || attempts === MAX_ATTEMPTS) throw error
      }
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), LONGEST_PAUSE_MS)
      await clock.sleep(Math.max(retryAfterMs, pause * (0.5 + clock.random() / 2)), call.signal)
    }
  }
  return { urlOf, send }
}

/** What may turn out otherwise when the very same request is sent again. */
function mayRepeat({ code, status }: HoldfastError): boolean {
  return (
    code === 'NETWORK_FAILED' ||
    code === 'IDEMPOTENCY_IN_PROGRESS' ||
    status === 408 ||
    status === 429 ||
    status === 502 ||
    status === 503 ||
    status === 504
  )
}

/** RFC 9110 §10.2.3, in seconds; at most a minute, because somebody is waiting. */
function retryAfter(response: Response): number {
  const seconds = Number(response.headers.get('retry-after') ?? 0)
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 60) * 1000 : 0
}

async function problemOf(response: Response): Promise<HoldfastError> {
  const { status } = response
  const requestId = response.headers.get('x-request-id')
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true
  const problem = isProblem ? await jsonOf(response) : null
  if (typeof problem !== 'object' || problem === null || !('code' in problem)) {
    return clientError(
      'RESPONSE_INVALID',
      `The server answered ${status} without saying why.`,
      'Check that the address is that of a Holdfast server; a proxy may have answered instead.',
      { status, requestId },
    )
  }
  const member = (key: string) => String((problem as Record<string, unknown>)[key] ?? '')
  return new HoldfastError({
    code: member('code'),
    status,
    title: member('title'),
    detail: member('detail'),
    requestId: member('requestId') || requestId,
  })
}

async function jsonOf(response: Response): Promise<unknown> {
  let body: string
  try {
    body = await response.text()
  } catch (error) {
    throw clientError(
      'NETWORK_FAILED',
      'The connection broke before the answer was complete.',
      'Try again.',
      {
        cause: error,
      },
    )
  }
  try {
    return JSON.parse(body)
  } catch (error) {
    throw clientError('RESPONSE_INVALID', 'The answer is not JSON.', 'Check the address of the server.', {
      status: response.status,
      cause: error,
    })
  }
}
