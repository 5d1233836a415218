import { LnurlError } from './error.ts'

/** How a service says no (LUD-06). `code` is ours, stable; wallets that do not know it show the reason. */
export type LnurlRefusal = { readonly status: 'ERROR'; readonly reason: string; readonly code?: string }

/** The object that a service answered; throws `LnurlError('refused')` with its reason when it said no. */
export function readAnswer(answer: unknown): Record<string, unknown> {
  if (!isObject(answer)) throw new LnurlError('bad-answer', 'the service did not answer a JSON object')
  if (typeof answer.status === 'string' && answer.status.toUpperCase() === 'ERROR') {
    const reason = typeof answer.reason === 'string' ? answer.reason.slice(0, 500) : 'no reason given'
    throw new LnurlError('refused', reason)
  }
  return answer
}

export function readText(answer: Record<string, unknown>, field: string, maxCharacters: number): string {
  const value = answer[field]
  if (typeof value !== 'string' || value.length > maxCharacters)
    throw new LnurlError('bad-answer', `${field} is no text of at most ${maxCharacters} characters`)
  return value
}

/** Millisatoshi or a count: a whole number that JSON holds exactly. */
export function readWhole(answer: Record<string, unknown>, field: string): number {
  const value = answer[field]
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new LnurlError('bad-answer', `${field} is no whole number`)
  return value as number
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
