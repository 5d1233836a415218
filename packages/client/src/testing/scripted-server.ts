import type { Clock } from '../clock.ts'
import type { Fetch } from '../transport.ts'

export type Seen = { method: string; path: string; headers: Record<string, string>; body: unknown }
export type Answer =
  | { status?: number; json: unknown; headers?: Record<string, string> }
  | { status: number; text: string; headers?: Record<string, string> }
  /** The connection breaks. */
  | 'broken'

export const BASE_URL = 'http://holdfast.test'

/**
 * Answers each path with its next answer, the last one for ever, and keeps what it was asked. A path without a query
 * answers for every query that has no answers of its own.
 */
export function scriptServer(answers: Record<string, Answer[]>) {
  const seen: Seen[] = []
  const asked: string[] = []
  const fetch: Fetch = async (url, init) => {
    init.signal?.throwIfAborted()
    const { pathname, search } = new URL(url)
    const exact = `${init.method} ${pathname}${search}`
    const path = exact in answers ? exact : `${init.method} ${pathname}`
    const earlier = asked.filter((one) => one === path).length
    asked.push(path)
    const headers = init.headers as Record<string, string>
    const body = init.body === undefined ? undefined : JSON.parse(init.body as string)
    seen.push({ method: init.method!, path: `${pathname}${search}`, headers, body })
    const list = answers[path] ?? []
    const answer = list[Math.min(earlier, list.length - 1)]
    if (answer === undefined) throw new Error(`The script has no answer for ${path}.`)
    if (answer === 'broken') throw new TypeError('fetch failed')
    const text = 'json' in answer ? JSON.stringify(answer.json) : answer.text
    return new Response(text, { status: answer.status ?? 200, headers: answer.headers ?? {} })
  }
  return { fetch, seen }
}

export function problem(status: number, code: string, headers: Record<string, string> = {}): Answer {
  return {
    status,
    json: {
      type: `/problems/${code}`,
      title: `Title of ${code}.`,
      status,
      detail: 'Do this.',
      code,
      requestId: 'req-1',
    },
    headers: { 'content-type': 'application/problem+json', ...headers },
  }
}

export const NOW = 1_800_000_000_000

/** Sleeping takes no time; what was slept is kept. */
export function manualClock(): Clock & { slept: number[]; pass(ms: number): void } {
  let now = NOW
  const slept: number[] = []
  return {
    slept,
    now: () => now,
    random: () => 1,
    pass: (ms) => {
      now += ms
    },
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      slept.push(ms)
      now += ms
    },
  }
}
