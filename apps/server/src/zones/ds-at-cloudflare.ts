import type { Ds } from '@holdfast/core/zones/zone-states'
import type { CloudflareApi } from '../dns/cloudflare/cloudflare-api.ts'
import { CloudflareApiError, meaningOf } from '../dns/cloudflare/cloudflare-error.ts'
import { type ActOnZone, dsText } from './act-on-zone.ts'

/** How long resolvers remember it, and so how long a rollover or a withdrawal waits. */
const DS_TTL_SECONDS = 3600

/** The zone above is at Cloudflare, where DS records are records as others are. */
export function dsAtCloudflare(api: CloudflareApi): ActOnZone {
  return async ({ domain, action, ds }) => {
    if (action !== 'publish-ds' && action !== 'withdraw-ds') return 'by-person'
    const wanted = new Map((action === 'publish-ds' ? ds : []).map((record) => [dsText(record), record]))
    const zone = await zoneAbove(api, domain)
    const standing = await api.listDs(zone, domain)
    const there = new Set(standing.map(dsText))
    // First those that are new: at no moment is there none, which would leave the zone unproven.
    for (const [text, record] of wanted) if (!there.has(text)) await create(api, zone, domain, record)
    for (const record of standing) if (!wanted.has(dsText(record))) await remove(api, zone, record.id)
    return 'done'
  }
}

/** The nearest zone above the domain that the token may see. */
async function zoneAbove(api: CloudflareApi, domain: string): Promise<string> {
  const labels = domain.split('.')
  for (let cut = 1; cut < labels.length - 1; cut++) {
    const zones = await api.findZones(labels.slice(cut).join('.'))
    const found = zones.find(({ active }) => active) ?? zones[0]
    if (found) return found.id
  }
  throw new Error(`the Cloudflare token may see no zone above ${domain}`)
}

async function create(api: CloudflareApi, zone: string, domain: string, ds: Ds): Promise<void> {
  await api.createDs(zone, { name: domain, ttl: DS_TTL_SECONDS, ...ds }).catch(unless('exists-already'))
}

async function remove(api: CloudflareApi, zone: string, id: string): Promise<void> {
  await api.deleteRecord(zone, id).catch(unless('not-there'))
}

/** What an earlier try, whose answer was lost, has done already. */
function unless(meaning: ReturnType<typeof meaningOf>): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof CloudflareApiError && meaningOf(error.failure) === meaning)) throw error
  }
}
