import { type DnsZone, DnsZoneError } from '@holdfast/core/dns-zone'
import type { Dependency } from '../platform/http/health.ts'

/** No name that somebody registers begins with an underscore. */
const PROBE = '_holdfast-probe.user._bitcoin-payment.'
const PROBE_VALUE = 'holdfast-probe'
const PROBE_TTL_SECONDS = 60
/** What was found counts for so long: `/ready` is asked often, and providers count requests. */
const GOOD_FOR_MS = 60 * 60_000
const BAD_FOR_MS = 60_000

/**
 * Whether our key or token may change the zone, by doing so: a record is published and withdrawn again at a name of its
 * own. Nothing less shows it: a token that may read looks like one that may write. Without it names of this domain fail,
 * and everything else goes on.
 */
export function zoneAccess(zone: DnsZone, clock: () => number): Dependency {
  const name = PROBE + zone.domain
  let latest: { readonly at: number; readonly failure: Error | null } | null = null
  let underWay: Promise<Error | null> | null = null

  const probe = async (): Promise<Error | null> => {
    try {
      await zone.publish({ name, value: PROBE_VALUE, ttlSeconds: PROBE_TTL_SECONDS })
      await zone.withdraw({ name, value: PROBE_VALUE })
      return null
    } catch (error) {
      if (error instanceof DnsZoneError) return error
      throw error
    }
  }
  const isFresh = ({ at, failure }: NonNullable<typeof latest>) =>
    clock() - at < (failure === null ? GOOD_FOR_MS : BAD_FOR_MS)

  return {
    name: `changes of zone ${zone.domain}`,
    essential: false,
    async check() {
      if (latest === null || !isFresh(latest)) {
        underWay ??= probe().finally(() => {
          underWay = null
        })
        const failure = await underWay
        latest = { at: clock(), failure }
      }
      if (latest.failure !== null) throw latest.failure
      return undefined
    },
  }
}
