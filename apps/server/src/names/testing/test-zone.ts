import { type DnsZone, DnsZoneError, type DnsZoneErrorCode } from '@holdfast/core/dns-zone'

/** Test double of a zone with two authoritative servers, in memory, with the faults that a test asks for. */
export type TestZone = DnsZone & {
  records: Map<string, string>
  /** What the next changes fail with; `lost`: carried out, but the answer is lost. */
  failures: (DnsZoneErrorCode | 'lost')[]
  /** As long as it is set every change fails with it. */
  broken: DnsZoneErrorCode | null
  signed: boolean
  /** How many times the second server still shows what it had before. */
  lag: number
  secondIsDown: boolean
}

export function makeTestZone(domain = 'shop.test'): TestZone {
  const change = (work: () => void) => {
    const failure = zone.broken ?? zone.failures.shift()
    if (failure !== undefined && failure !== 'lost') throw new DnsZoneError(failure, 'as the test asked')
    work()
    if (failure === 'lost') throw new DnsZoneError('unavailable', 'the answer got lost')
  }
  const zone: TestZone = {
    domain,
    records: new Map(),
    failures: [],
    broken: null,
    signed: true,
    lag: 0,
    secondIsDown: false,
    async publish({ name, value }, { replaces = value } = {}) {
      const there = zone.records.get(name) ?? value
      change(() => {
        if (there !== value && there !== replaces) throw new DnsZoneError('conflict', 'another value')
        zone.records.set(name, value)
      })
    },
    async withdraw({ name, value }) {
      change(() => {
        if (zone.records.get(name) === value) zone.records.delete(name)
      })
    },
    async *list() {
      if (zone.broken) throw new DnsZoneError(zone.broken, 'as the test asked')
      for (const [name, value] of [...zone.records]) yield { name, value }
    },
    async authoritative(name) {
      const value = zone.records.get(name)
      const values = value === undefined ? [] : [value]
      const behind = zone.lag > 0
      if (behind) zone.lag--
      return [
        { server: '192.0.2.1:53', values, signed: zone.signed },
        zone.secondIsDown
          ? { server: '192.0.2.2:53', failure: 'timeout' }
          : { server: '192.0.2.2:53', values: behind ? [] : values, signed: zone.signed },
      ]
    },
  }
  return zone
}
