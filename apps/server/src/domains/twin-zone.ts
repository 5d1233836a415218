import type { DnsZone } from '@holdfast/core/dns-zone'

/**
 * A domain whose names stand in two zones of ours, so that its merchant may lead them from the one to the other at any
 * moment and none is missing. `home` is where the merchant's DNS leads now, and what is shown. The other is changed
 * first: a change that has succeeded is in both.
 */
export function makeTwinZone(home: DnsZone, other: DnsZone): DnsZone {
  return {
    domain: home.domain,
    async publish(record, options) {
      await other.publish(record, options)
      await home.publish(record, options)
    },
    async withdraw(record) {
      await other.withdraw(record)
      await home.withdraw(record)
    },
    authoritative: (name) => home.authoritative(name),
    list: () => home.list(),
  }
}
