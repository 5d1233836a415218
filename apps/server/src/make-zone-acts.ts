import type { CloudflareApi } from './dns/cloudflare/cloudflare-api.ts'
import type { Edges } from './edges.ts'
import type { Site } from './make-zones.ts'
import type { CloudflareConfig } from './platform/config-domains.ts'
import { type ActOnZone, inTurn, makeHook } from './zones/act-on-zone.ts'
import { awaitCds } from './zones/await-cds.ts'
import { dsAtCloudflare } from './zones/ds-at-cloudflare.ts'
import { signAtCloudflare } from './zones/sign-at-cloudflare.ts'

export type CloudflareApis = (account: CloudflareConfig) => Promise<CloudflareApi>

/** One for everything that is done with a token, because its rate limit is one for all of it, too. */
export function makeCloudflareApis(): CloudflareApis {
  const made = new Map<string, CloudflareApi>()
  return async ({ token, api }) => {
    const key = JSON.stringify([api, token.reveal()])
    const known = made.get(key)
    if (known) return known
    // Cloudflare's SDK is large: nobody loads it who has no zone there.
    const { makeCloudflareApi } = await import('./dns/cloudflare/cloudflare-client.ts')
    const fresh = makeCloudflareApi({ token, baseUrl: api ?? undefined, now: Date.now })
    made.set(key, fresh)
    return fresh
  }
}

/**
 * What of a zone's way into DNSSEC can be done here: by its own provider, by that of the zone above it, and by the
 * operator's program. That goes before the wait for CDS records, because it may be what changes them.
 */
export function makeZoneActs(
  sites: ReadonlyMap<string, Site>,
  deps: { apis: CloudflareApis; zoneServers: Edges['zoneServers']; hook: string | null },
): ActOnZone {
  const { apis, zoneServers } = deps
  const hook = deps.hook === null ? inTurn() : makeHook(deps.hook)
  const cds = awaitCds((domain) => zoneServers(domain).zone())
  return async (request) => {
    const provider = sites.get(request.domain)?.provider
    if (!provider || provider.kind === 'embedded') return hook(request)
    const { parent } = provider
    const acts: ActOnZone[] = []
    if (provider.kind === 'cloudflare') acts.push(signAtCloudflare(await apis(provider)))
    if (parent && parent !== 'cds') acts.push(dsAtCloudflare(await apis(parent)))
    acts.push(hook)
    if (parent === 'cds') acts.push(cds)
    return inTurn(...acts)(request)
  }
}
