import { type DnsZone, DnsZoneError } from '@holdfast/core/dns-zone'

/** What every record of BIP-353 lies below, in any domain. */
const BELOW = '.user._bitcoin-payment.'

/** Where the names of a merchant's domain live in ours: the merchant's DNS has an alias from the one to the other. */
export type Hosting = { readonly domain: string; readonly label: string; readonly host: string }

/** The name in our zone for a name of the merchant's domain; null for one that is no payment name of it. */
export function hostedName(name: string, { domain, label, host }: Hosting): string | null {
  const suffix = `${BELOW}${domain}`
  return name.endsWith(suffix) && name.length > suffix.length
    ? `${name.slice(0, -suffix.length)}${BELOW}${label}.${host}`
    : null
}

/**
 * A merchant's domain as a zone: records are published in a zone of ours. That the merchant's alias leads there is not
 * for the authoritative servers of our zone to show: the validation of the whole chain does.
 */
export function makeHostedZone(hosting: Hosting, zone: DnsZone): DnsZone {
  const own = (name: string): string => {
    const hosted = hostedName(name, hosting)
    if (hosted === null)
      throw new DnsZoneError('not-this-zone', `${name} is no payment name of ${hosting.domain}`)
    return hosted
  }
  return {
    domain: hosting.domain,
    publish: async (record, options) => zone.publish({ ...record, name: own(record.name) }, options),
    withdraw: async ({ name, value }) => zone.withdraw({ name: own(name), value }),
    authoritative: async (name) => zone.authoritative(own(name)),
    async *list() {
      const hosted = `${BELOW}${hosting.label}.${hosting.host}`
      for await (const { name, value } of zone.list()) {
        if (name.endsWith(hosted))
          yield { name: `${name.slice(0, -hosted.length)}${BELOW}${hosting.domain}`, value }
      }
    },
  }
}
