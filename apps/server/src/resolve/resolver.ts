import { type Refusal, refuse } from '@holdfast/core'
import { Bip321Error, type BitcoinUri, parseBitcoinUri } from '@holdfast/protocols/bip321'
import { Bip353Error, parseName, recordName, selectInstruction } from '@holdfast/protocols/bip353'
import type { TxtResolution } from '@holdfast/protocols/dnssec'
import { TimedOutError, within } from '../platform/within.ts'
import { makeResolutionCache } from './resolution-cache.ts'

/** A name whose record was validated from the root's anchor down. */
export type ResolvedName = {
  /** `user@domain`, canonical. */
  readonly name: string
  /** The record's value as it stands. */
  readonly uri: string
  readonly parsed: BitcoinUri
  /** How long it may be kept: the smallest signed TTL of the whole chain. */
  readonly ttlSeconds: number
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

export type Resolver = {
  /** From memory while the signatures allow it. */
  resolve(name: string): Promise<ResolvedName | Refusal>
  /** Asks the DNS whatever is remembered. */
  resolveFresh(name: string): Promise<ResolvedName | Refusal>
}

/** `resolveTxt` of protocols with its transport and anchors; `nowSeconds` is seconds since 1970. */
export type ResolveTxt = (name: string, nowSeconds: number) => Promise<TxtResolution>

const REMEMBERED = 10_000
/** For a whole chain. Each of its questions is short, but a stranger's zone decides how many there are. */
const TIMEOUT_MS = 8_000

export function makeResolver(deps: {
  resolveTxt: ResolveTxt
  clock: () => number
  timeoutMs?: number
}): Resolver {
  const { clock, timeoutMs = TIMEOUT_MS } = deps
  const cache = makeResolutionCache(REMEMBERED)

  const canonical = (text: string) => {
    try {
      return parseName(text)
    } catch (error) {
      if (error instanceof Bip353Error) return refuse('NAME_INVALID', { rule: error.code })
      throw error
    }
  }
  const resolveInTime = async (name: string): Promise<TxtResolution> => {
    try {
      return await within(timeoutMs, deps.resolveTxt(name, Math.floor(clock() / 1000)))
    } catch (error) {
      if (!(error instanceof TimedOutError)) throw error
      return { status: 'unavailable', reason: error.message }
    }
  }
  const resolveFresh = async (text: string): Promise<ResolvedName | Refusal> => {
    const name = canonical(text)
    if ('refused' in name) return name
    const found = await resolveInTime(recordName(name))
    const instruction = instructionOf(found)
    if ('refused' in instruction) return instruction
    const resolved = { name: name.text, ...instruction }
    cache.put(resolved)
    return resolved
  }
  return {
    resolveFresh,
    async resolve(text) {
      const name = canonical(text)
      if ('refused' in name) return name
      return cache.get(name.text, clock()) ?? resolveFresh(text)
    },
  }
}

function instructionOf(found: TxtResolution): Omit<ResolvedName, 'name'> | Refusal {
  switch (found.status) {
    case 'nxdomain':
      return refuse('RESOLVE_NO_SUCH_NAME')
    case 'nodata':
      return refuse('RESOLVE_NO_INSTRUCTION')
    case 'insecure':
      return refuse('RESOLVE_UNSIGNED', { zone: found.zone })
    case 'bogus':
      return refuse('RESOLVE_BOGUS', { rule: found.code })
    case 'unavailable':
      return refuse('DNS_UNAVAILABLE')
    case 'secure': {
      const selected = selectInstruction(found.values.map(latin1))
      if ('problem' in selected) {
        return refuse(selected.problem === 'none' ? 'RESOLVE_NO_INSTRUCTION' : 'RESOLVE_AMBIGUOUS')
      }
      const parsed = parseUri(selected.uri)
      if ('refused' in parsed) return parsed
      const { ttlSeconds, expiresAt } = found
      return { uri: selected.uri, parsed, ttlSeconds, expiresAt: expiresAt * 1000 }
    }
  }
}

function parseUri(uri: string): BitcoinUri | Refusal {
  try {
    return parseBitcoinUri(uri)
  } catch (error) {
    if (error instanceof Bip321Error) return refuse('URI_INVALID', { rule: error.code })
    throw error
  }
}

/** Each byte becomes the character of its number; the strict URI parser refuses what is not ASCII. */
function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}
