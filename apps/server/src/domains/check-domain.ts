import { setTimeout as sleep } from 'node:timers/promises'
import type { RefusalCode } from '@holdfast/core'
import { type DnsZone, DnsZoneError } from '@holdfast/core/dns-zone'
import type { Aliases, DomainReport, DomainState } from '@holdfast/core/domains/domain-states'
import type { TxtResolution } from '@holdfast/protocols/dnssec'
import { TimedOutError, within } from '../platform/within.ts'
import type { ResolveTxt } from '../resolve/validations.ts'
import type { Delegations } from './delegation.ts'
import { challengeName, challengeValue, probeName } from './domain-challenge.ts'
import { makeHostedZone } from './hosted-zone.ts'

export type CheckDeps = {
  resolveTxt: ResolveTxt
  /** The zones of ours, by domain. */
  zones: ReadonlyMap<string, DnsZone>
  delegated: Delegations
  clock: () => number
}

const VALIDATE_WITHIN_MS = 8_000
const ZONE_WITHIN_MS = 10_000
const SHOWN_WITHIN_MS = 2_000
const PAUSE_MS = 100
const PROBE_TTL_SECONDS = 60

/** Looks for the challenge in the merchant's DNS, validated from the root down, and for an alias that leads into ours. */
export async function checkDomain(
  deps: CheckDeps,
  state: DomainState,
  serial: number,
): Promise<DomainReport> {
  const challenge = await validated(deps, challengeName(state))
  const cause = whyNotProven(challenge, challengeValue(state))
  if (cause !== null) return { kind: 'not-verified', serial, cause }
  return { kind: 'verified', serial, aliases: await findAliases(deps, state, serial) }
}

function whyNotProven(resolution: TxtResolution, value: string): RefusalCode | null {
  switch (resolution.status) {
    case 'secure':
      return resolution.values.some((bytes) => Buffer.from(bytes).toString('utf8') === value)
        ? null
        : 'DOMAIN_NOT_VERIFIED'
    case 'nxdomain':
    case 'nodata':
      return 'DOMAIN_NOT_VERIFIED'
    case 'insecure':
      return 'RESOLVE_UNSIGNED'
    case 'bogus':
      return 'RESOLVE_BOGUS'
    case 'unavailable':
      return 'DNS_UNAVAILABLE'
  }
}

/**
 * A delegation is preferred, because what stands above it in the merchant's zone is not seen any more. A way that could
 * not be tried is taken for what it was before.
 */
async function findAliases(deps: CheckDeps, state: DomainState, serial: number): Promise<Aliases> {
  const before = 'aliases' in state ? state.aliases : null
  const leads = async (aliases: Aliases, zone: DnsZone | undefined, way: Probed['way']) => {
    const reached = zone ? await isReached(deps, { state, serial, zone, way }) : 'no'
    return reached === 'yes' || (reached === 'unknown' && before === aliases)
  }
  if (await leads('delegated', deps.delegated.get(state.domain)?.zone, 'delegated')) return 'delegated'
  const host = deps.zones.get(state.host)
  return (await leads('all-names', host && makeHostedZone(state, host), 'aliased'))
    ? 'all-names'
    : 'each-name'
}

type Probed = { state: DomainState; serial: number; zone: DnsZone; way: 'delegated' | 'aliased' }

/** A record that only a delegation, or one alias for all names, leads to is published, looked for, and withdrawn. */
async function isReached(
  deps: CheckDeps,
  { state, serial, zone, way }: Probed,
): Promise<'yes' | 'no' | 'unknown'> {
  // What a crash left behind on the one way shows nothing of the other.
  const value = `${challengeValue(state)} ${way}`
  const name = probeName(state, serial)
  try {
    await within(ZONE_WITHIN_MS, zone.publish({ name, value, ttlSeconds: PROBE_TTL_SECONDS }))
    if (!(await isShown(zone, name, value))) return 'unknown'
    const found = await validated(deps, name)
    if (found.status === 'unavailable') return 'unknown'
    return whyNotProven(found, value) === null ? 'yes' : 'no'
  } catch (error) {
    if (error instanceof DnsZoneError || error instanceof TimedOutError) return 'unknown'
    throw error
  } finally {
    await within(ZONE_WITHIN_MS, zone.withdraw({ name, value })).catch((error) => {
      // A later check withdraws it; it stands at a name that nobody can register.
      if (!(error instanceof DnsZoneError || error instanceof TimedOutError)) throw error
    })
  }
}

/** A resolver that has to say "no such name" remembers it, so every server must show the record first. */
async function isShown(zone: DnsZone, name: string, value: string): Promise<boolean> {
  for (const until = performance.now() + SHOWN_WITHIN_MS; performance.now() < until; await sleep(PAUSE_MS)) {
    const answers = await within(ZONE_WITHIN_MS, zone.authoritative(name))
    if (answers.length > 0 && answers.every((answer) => 'values' in answer && answer.values.includes(value)))
      return true
  }
  return false
}

async function validated({ resolveTxt, clock }: CheckDeps, name: string): Promise<TxtResolution> {
  const late = new AbortController()
  try {
    return await within(VALIDATE_WITHIN_MS, resolveTxt(name, Math.floor(clock() / 1000), late.signal))
  } catch (error) {
    if (!(error instanceof TimedOutError)) throw error
    late.abort(error)
    return { status: 'unavailable', reason: error.message }
  }
}
