import type { Refusal } from '@holdfast/core'
import type { TxtResolution } from '@holdfast/protocols/dnssec'
import { TimedOutError, within } from '../platform/within.ts'
import { type Crowd, makeTurnstile } from './turnstile.ts'

/**
 * `resolveTxt` of protocols with its transport and anchors; `nowSeconds` is seconds since 1970. Once the signal is
 * aborted it asks no further questions.
 */
export type ResolveTxt = (name: string, nowSeconds: number, signal?: AbortSignal) => Promise<TxtResolution>

/**
 * Validates the TXT records of one DNS name within `timeoutMs`, or says that there are too many to validate. `asker`:
 * for whom, where that is limited.
 */
export type Validate = (recordName: string, asker?: string) => Promise<TxtResolution | Refusal>

export function makeValidate(deps: {
  resolveTxt: ResolveTxt
  clock: () => number
  timeoutMs: number
}): Validate {
  return async (name) => {
    const late = new AbortController()
    try {
      return await within(deps.timeoutMs, deps.resolveTxt(name, Math.floor(deps.clock() / 1000), late.signal))
    } catch (error) {
      if (!(error instanceof TimedOutError)) throw error
      late.abort(error)
      return { status: 'unavailable', reason: error.message }
    }
  }
}

/** As many at once as the crowd may have; the others wait or are refused with OVERLOADED. */
export function limited(validate: Validate, crowd: Crowd): Validate {
  const turnstile = makeTurnstile(crowd)
  return (name, asker) => turnstile(() => validate(name), asker)
}

/** Whoever asks while the same question is being answered gets the same answer. */
export function shared(validate: Validate): Validate {
  const underWay = new Map<string, ReturnType<Validate>>()
  return (name, asker) => {
    const already = underWay.get(name)
    if (already) return already
    const answer = validate(name, asker).finally(() => underWay.delete(name))
    underWay.set(name, answer)
    return answer
  }
}
