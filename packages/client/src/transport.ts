import type { Clock } from './clock.ts'
import { clientError, HoldfastError } from './holdfast-error.ts'
import type { SignedRequest } from './signer.ts'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export type Call = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Relative to the base URL, without a leading slash. */
  readonly path: string
  readonly body?: unknown
  readonly idempotencyKey?: string
  readonly signal?: AbortSignal
  /** Asked before every attempt: a NIP-98 event may be sent only once. */
  readonly authorization?: (request: SignedRequest) => Promise<string>
  /** What an answer in JSON says, also one that is no success; what it throws may lead to another attempt. */
  readonly read?: (answer: unknown, response: Pick<Response, 'status' | 'headers'>) => unknown
}

type Problem = Readonly<Record<string, unknown>>

export type Transport = {
  /** The decoded JSON of a 2xx answer, or what `read` makes of it. Throws `HoldfastError`. */
  send(call: Call): Promise<unknown>
  /** The 2xx answer itself, which may go on for ever; sent once. Throws `HoldfastError`. */
  open(call: Call & { readonly accept: string }): Promise<Response>
}

const ACCEPT_JSON = 'application/json, application/problem+json'
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

  const attempt = async (call: Call, accept: string, timeout: AbortSignal): Promise<Response> => {
    const headers: Record<string, string> = { accept }
    if (call.body !== undefined) headers['content-type'] = 'application/json'
    if (call.idempotencyKey !== undefined) headers['idempotency-key'] = call.idempotencyKey
    const { method } = call
    const url = new URL(call.path, base).href
    const body = call.body === undefined ? null : JSON.stringify(call.body)
    if (call.authorization !== undefined)
      headers.authorization = await call.authorization({ url, method, body })
    try {
      return await fetch(url, {
        method,
        headers,
        redirect: 'error',
        signal: call.signal ? AbortSignal.any([call.signal, timeout]) : timeout,
        ...(body !== null && { body }),
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
        const response = await attempt(call, ACCEPT_JSON, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS))
        retryAfterMs = retryAfter(response)
        if (!response.ok && !(call.read && isPlainJson(response))) throw await problemOf(response)
        const answer = await jsonOf(response)
        return call.read ? call.read(answer, response) : answer
      } catch (error) {
        if (!(error instanceof HoldfastError) || !mayRepeat(error) || attempts === MAX_ATTEMPTS) throw error
      }
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), LONGEST_PAUSE_MS)
      await clock.sleep(Math.max(retryAfterMs, pause * (0.5 + clock.random() / 2)), call.signal)
    }
  }
  return {
    send,
    async open({ accept, ...call }) {
      const opening = new AbortController()
      const timer = setTimeout(() => opening.abort(), ATTEMPT_TIMEOUT_MS)
      try {
        const response = await attempt(call, accept, opening.signal)
        // What is declined need not be told in a stream.
        if (call.read && isPlainJson(response)) call.read(await jsonOf(response), response)
        if (!response.ok) throw await problemOf(response)
        return response
      } finally {
        clearTimeout(timer)
      }
    },
  }
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

function isPlainJson(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('application/json') === true
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
  const { code, title, detail, requestId: saidId, type: _, status: __, ...data } = problem as Problem
  return new HoldfastError({
    code: String(code),
    status,
    title: String(title ?? ''),
    detail: String(detail ?? ''),
    requestId: saidId ? String(saidId) : requestId,
    data,
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
