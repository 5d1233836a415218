import type { SignatureWindow } from '@holdfast/protocols/dnssec/signing/sign-rrset'

const DAY = 86_400

/**
 * Signatures are made anew each day and live for a fortnight, beginning a day in the past for clocks that are slow:
 * what is served always has thirteen days left or more.
 */
export function currentWindow(nowMs: number): SignatureWindow & { id: string } {
  const today = Math.floor(nowMs / 1000 / DAY)
  return { id: String(today), inception: (today - 1) * DAY, expiration: (today + 14) * DAY }
}

/** Fault injection: a window that ended yesterday. */
export function expiredWindow(nowMs: number): SignatureWindow {
  const today = Math.floor(nowMs / 1000 / DAY)
  return { inception: (today - 30) * DAY, expiration: (today - 1) * DAY }
}
