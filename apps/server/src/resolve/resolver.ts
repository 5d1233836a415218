import { isRefusal, type Refusal, refuse } from '@holdfast/core'
import { Bip353Error, type PaymentName, parseName, recordName } from '@holdfast/protocols/bip353'
import type { TxtResolution } from '@holdfast/protocols/dnssec'
import { makeExpiringCache } from './expiring-cache.ts'
import { type Instruction, instructionOf } from './instruction.ts'
import { CROWD, type Crowd } from './turnstile.ts'
import { limited, makeValidate, type ResolveTxt, shared, type Validate } from './validations.ts'

/** A name whose record was validated from the root's anchor down. */
export type ResolvedName = Instruction & {
  /** `user@domain`, canonical: letters of other scripts as punycode. */
  readonly name: string
  /** A label is punycode: its letters may look like others, so show it as `name` does. */
  readonly hasPunycode: boolean
}

export type Resolver = {
  /** From memory while the signatures allow it; else by a validation that all who ask at that moment share. */
  resolve(name: string): Promise<ResolvedName | Refusal>
  /**
   * The same for everybody out there: OVERLOADED when too many ask, RATE_LIMITED when this one asks for too many at
   * once. Our own work does not wait in that queue.
   */
  resolveForAnyone(name: string, asker: string): Promise<ResolvedName | Refusal>
  /** Asks the DNS whatever is remembered. */
  resolveFresh(name: string): Promise<ResolvedName | Refusal>
  /** What is known without asking anybody; null: nothing. */
  remembered(name: string): ResolvedName | null
}

const REMEMBERED = 10_000
/** For a whole chain. Each of its questions is short, but a stranger's zone decides how many there are. */
const TIMEOUT_MS = 8_000
/**
 * That there is no such name is remembered no longer than its proof's smallest signed TTL, as everything is, and no
 * longer than this, because names are looked for shortly before they are there.
 */
const DENIAL_MS = 60_000
/** An unsigned or wrong answer says nothing of how long it holds. */
const DISBELIEF_MS = 5_000

export function makeResolver(deps: {
  resolveTxt: ResolveTxt
  clock: () => number
  timeoutMs?: number
  crowd?: Crowd
}): Resolver {
  const { clock, timeoutMs = TIMEOUT_MS, crowd = CROWD } = deps
  const names = makeExpiringCache<ResolvedName>(REMEMBERED)
  const refusals = makeExpiringCache<Refusal>(REMEMBERED)
  const validate = makeValidate({ ...deps, timeoutMs })
  const forUs = shared(validate)
  const forAnyone = shared(limited(validate, crowd))

  const ask = async (name: PaymentName, by: Validate, asker?: string): Promise<ResolvedName | Refusal> => {
    const found = await by(recordName(name), asker)
    if (isRefusal(found)) return found
    const instruction = instructionOf(found)
    const { text, hasPunycode } = name
    if (isRefusal(instruction)) {
      // When nobody said anything, what is remembered stays so.
      if (found.status === 'unavailable') return instruction
      names.forget(text)
      refusals.put(text, instruction, forgetRefusalAt(found, clock()))
      return instruction
    }
    const resolved = { name: text, hasPunycode, ...instruction }
    refusals.forget(text)
    names.put(text, resolved, resolved.expiresAt)
    return resolved
  }
  const fromMemoryOr =
    (by: Validate) =>
    async (text: string, asker?: string): Promise<ResolvedName | Refusal> => {
      const name = canonicalName(text)
      if (isRefusal(name)) return name
      return names.get(name.text, clock()) ?? refusals.get(name.text, clock()) ?? ask(name, by, asker)
    }
  return {
    resolve: fromMemoryOr(forUs),
    resolveForAnyone: fromMemoryOr(forAnyone),
    async resolveFresh(text) {
      const name = canonicalName(text)
      // Not shared: a validation that is under way may have asked before what the caller wants to see was there.
      return isRefusal(name) ? name : ask(name, validate)
    },
    remembered(text) {
      const name = canonicalName(text)
      return isRefusal(name) ? null : names.get(name.text, clock())
    },
  }
}

/** The name in its one form, or NAME_INVALID. */
export function canonicalName(text: string): PaymentName | Refusal {
  try {
    return parseName(text)
  } catch (error) {
    if (error instanceof Bip353Error) return refuse('NAME_INVALID', { rule: error.code })
    throw error
  }
}

function forgetRefusalAt(found: TxtResolution, now: number): number {
  return 'expiresAt' in found ? Math.min(found.expiresAt * 1000, now + DENIAL_MS) : now + DISBELIEF_MS
}
