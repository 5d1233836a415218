import { type DnsZone, DnsZoneError, type DnsZoneErrorCode } from '@holdfast/core/dns-zone'

/**
 * A zone of the devnet as a `DnsZone`. The devnet does not know core: its errors carry the codes of `DnsZoneError` in
 * a class of their own, and are given core's class here.
 */
export function embeddedZone(zone: DnsZone): DnsZone {
  return {
    domain: zone.domain,
    publish: (record, options) => zone.publish(record, options).catch(rethrow),
    withdraw: (record) => zone.withdraw(record).catch(rethrow),
    authoritative: (name) => zone.authoritative(name),
    async *list() {
      try {
        yield* zone.list()
      } catch (error) {
        rethrow(error)
      }
    },
  }
}

const CODES: ReadonlySet<string> = new Set<DnsZoneErrorCode>([
  'conflict',
  'not-authorized',
  'not-this-zone',
  'unavailable',
])

function rethrow(error: unknown): never {
  if (error instanceof Error && 'code' in error && isZoneCode(error.code)) {
    throw new DnsZoneError(error.code, error.message, { cause: error })
  }
  throw error
}

function isZoneCode(code: unknown): code is DnsZoneErrorCode {
  return typeof code === 'string' && CODES.has(code)
}
