/** bitcoind answered with an error: `code` is from its `rpc/protocol.h`. */
export class BitcoinRpcError extends Error {
  readonly method: string
  readonly code: number
  constructor(method: string, code: number, message: string) {
    super(`${method}: ${message} (${code})`)
    this.name = 'BitcoinRpcError'
    this.method = method
    this.code = code
  }
}

/** No usable answer: whether a call that changes something was performed is unknown. */
export class BitcoinRpcUnavailable extends Error {
  readonly method: string
  constructor(method: string, why: string, options?: ErrorOptions) {
    super(`${method}: ${why}`, options)
    this.name = 'BitcoinRpcUnavailable'
    this.method = method
  }
}

/**
 * A server closes a connection that was idle for some seconds (bitcoind's -rpcservertimeout), maybe just when the next
 * call is sent on it. Calls that change nothing when they are made twice are then made again.
 */
const CLOSED_BY_PEER = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])
const MAY_BE_REPEATED = /^(get|list|estimate|sendrawtransaction$)/
const MOST_REPEATS = 2

/** A number with a decimal point comes back as its text, because a float would not be exact. */
export type CallBitcoin = (method: string, params?: readonly unknown[]) => Promise<unknown>

/**
 * bitcoind's JSON-RPC, of which every caller names the methods that it needs: credentials, deadline, answers told apart.
 * `url` holds the credentials: `http://user:password@host:port`, with `/wallet/<name>` to name a wallet.
 * Throws `BitcoinRpcError` and `BitcoinRpcUnavailable`.
 */
export function makeBitcoinCall(
  url: string,
  { timeoutMs = 30_000 }: { timeoutMs?: number } = {},
): CallBitcoin {
  const { endpoint, authorization } = splitCredentials(url)
  let lastId = 0

  async function post(method: string, body: string, repeats = MOST_REPEATS): Promise<string> {
    try {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(timeoutMs),
      })
      if (response.status === 401) throw new BitcoinRpcUnavailable(method, 'the user or password is wrong')
      return await response.text()
    } catch (cause) {
      if (cause instanceof BitcoinRpcUnavailable) throw cause
      if (repeats > 0 && MAY_BE_REPEATED.test(method) && CLOSED_BY_PEER.has(causeOf(cause)?.code ?? ''))
        return post(method, body, repeats - 1)
      throw new BitcoinRpcUnavailable(method, `bitcoind does not answer${whyUnreachable(cause)}`, { cause })
    }
  }

  return async (method, params = []) => {
    const id = ++lastId
    const text = await post(method, JSON.stringify({ jsonrpc: '1.0', id, method, params }))
    const answer = parseAnswer(method, text)
    if (answer.error !== null) throw new BitcoinRpcError(method, answer.error.code, answer.error.message)
    if (answer.id !== id) throw new BitcoinRpcUnavailable(method, 'the answer belongs to another call')
    return answer.result
  }
}

/** `fetch` says no more than "fetch failed"; its cause knows why, such as ECONNREFUSED. */
function whyUnreachable(error: unknown): string {
  if (!(error instanceof TypeError)) return ' in time'
  const cause = causeOf(error)
  return ` (${cause?.code ?? cause?.message ?? error.message})`
}

function causeOf(error: unknown): NodeJS.ErrnoException | undefined {
  return (error as Error).cause as NodeJS.ErrnoException | undefined
}

function splitCredentials(url: string): { endpoint: string; authorization: string } {
  const parsed = new URL(url)
  const credentials = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`
  parsed.username = ''
  parsed.password = ''
  return {
    endpoint: parsed.href,
    authorization: `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`,
  }
}

type Answer = { id: unknown; result: unknown; error: { code: number; message: string } | null }

function parseAnswer(method: string, text: string): Answer {
  let parsed: unknown
  try {
    parsed = JSON.parse(text, keepDecimals)
  } catch (cause) {
    throw new BitcoinRpcUnavailable(method, 'the answer is not JSON', { cause })
  }
  if (typeof parsed !== 'object' || parsed === null || !('result' in parsed || 'error' in parsed)) {
    throw new BitcoinRpcUnavailable(method, 'the answer is not of JSON-RPC')
  }
  return { id: null, result: null, error: null, ...(parsed as Partial<Answer>) }
}

/** V8 hands a reviver the source text of each number; TypeScript's library does not declare it yet. */
function keepDecimals(this: unknown, _key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source
  return typeof value === 'number' && source !== undefined && /[.eE]/.test(source) ? source : value
}
