import type { CloudflareApi } from '../dns/cloudflare/cloudflare-api.ts'
import type { ActOnZone } from './act-on-zone.ts'

/**
 * Cloudflare signs its zones by itself. Switched on, it shows CDS and CDNSKEY records, and its own registrar publishes
 * the DS; switched off, it shows those that ask for the DS to be removed (RFC 8078 §4) and goes on signing until DNSSEC
 * is deleted, which it refuses while the DS is there (developers.cloudflare.com/dns/dnssec/dnssec-states). Where the
 * registrar heeds neither, the DS is for the next in turn.
 */
export function signAtCloudflare(api: CloudflareApi): ActOnZone {
  return async ({ domain, action }) => {
    switch (action) {
      case 'sign':
        await parentFollows(api, domain, true)
        return 'done'
      case 'publish-ds':
        return (await parentFollows(api, domain, true)) ? 'done' : 'by-person'
      case 'withdraw-ds':
        return (await parentFollows(api, domain, false)) ? 'done' : 'by-person'
      case 'unsign': {
        const zone = await zoneOf(api, domain)
        if (await api.readDnssec(zone)) await api.deleteDnssec(zone)
        return 'done'
      }
      case 'add-key':
      case 'remove-key':
        return 'by-person'
    }
  }
}

/** Switches it on or off; answers whether the DS at the parent is so already, as Cloudflare sees it. */
async function parentFollows(api: CloudflareApi, domain: string, on: boolean): Promise<boolean> {
  const zone = await zoneOf(api, domain)
  const before = await api.readDnssec(zone)
  const isOn = before === 'active' || before === 'pending'
  // An earlier try, whose answer was lost, may have done it.
  const isThere = on ? isOn : before === null || before === 'disabled' || before === 'pending-disabled'
  const status = isThere ? before : await api.switchDnssec(zone, on)
  return on ? status === 'active' : status === null || status === 'disabled'
}

async function zoneOf(api: CloudflareApi, domain: string): Promise<string> {
  const zones = await api.findZones(domain)
  const found = zones.find(({ active }) => active) ?? zones[0]
  if (!found) throw new Error(`${domain} is no zone that the Cloudflare token may see`)
  return found.id
}
