import type { Refusal, RefusalCode } from '@holdfast/core'
import { DnsZoneError } from '@holdfast/core/dns-zone'
import type { EffectFailure } from '@holdfast/core/names/name-commands'
import { NodeError } from '@holdfast/lightning'
import { TimedOutError } from '../platform/within.ts'

/** What an effect has to say when it could not be done. */
export type Failed = { readonly failure: EffectFailure }

export function unavailable(code: RefusalCode): Failed {
  return { failure: { code, kind: 'unavailable' } }
}

export function refused(code: RefusalCode): Failed {
  return { failure: { code, kind: 'refused' } }
}

export function unavailableBecause({ refused: code }: Refusal): Failed {
  return unavailable(code)
}

/** Anything that is not the node's own word is a fault, and thrown on. */
export function failureOfNode(error: unknown): Failed {
  if (error instanceof TimedOutError) return unavailable('NODE_OFFLINE')
  if (!(error instanceof NodeError)) throw error
  switch (error.code) {
    case 'offline':
      return unavailable('NODE_OFFLINE')
    case 'unsupported':
    case 'invalid':
    case 'not-held':
    case 'conflict':
      return refused('NODE_CANNOT')
  }
}

export function failureOfZone(error: unknown): Failed {
  if (error instanceof TimedOutError) return unavailable('DNS_UNAVAILABLE')
  if (!(error instanceof DnsZoneError)) throw error
  switch (error.code) {
    case 'unavailable': {
      const { retryAfterMs } = error
      return {
        failure: {
          ...unavailable('DNS_UNAVAILABLE').failure,
          ...(retryAfterMs !== null && { retryAfterMs }),
        },
      }
    }
    case 'conflict':
      return { failure: { code: 'RECORD_OCCUPIED', kind: 'occupied' } }
    case 'not-authorized':
    case 'not-this-zone':
      return refused('DNS_REFUSED')
  }
}
