import { type Refusal, refuse } from '@holdfast/core'
import { Bip321Error, type BitcoinUri, parseBitcoinUri } from '@holdfast/protocols/bip321'
import { joinCharacterStrings, selectInstruction } from '@holdfast/protocols/bip353'
import type { TxtResolution } from '@holdfast/protocols/dnssec'

export type Instruction = {
  /** The record's value as it stands. */
  readonly uri: string
  readonly parsed: BitcoinUri
  /** How long it may be kept: the smallest signed TTL of the whole chain. */
  readonly ttlSeconds: number
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** The payment instruction that a validated answer holds (BIP-353), or why there is none to believe. */
export function instructionOf(found: TxtResolution): Instruction | Refusal {
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
      // Each byte becomes the character of its number; the strict URI parser refuses what is not ASCII.
      const selected = selectInstruction(found.values.map((value) => joinCharacterStrings([value])))
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
