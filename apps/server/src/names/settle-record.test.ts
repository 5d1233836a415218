import { type DnsZone, DnsZoneError } from '@holdfast/core/dns-zone'
import type { NameState } from '@holdfast/core/names/name-states'
import { expect, test } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import { settleRecord } from './settle-record.ts'

const database = withDatabase()
const state = { user: 'alice', domain: 'shop.test', phase: 'active' } as NameState

/** Test double of a zone in which several TXT RRs may stand at one name, as at Cloudflare. */
function zoneWith(...values: string[]): DnsZone & { values: Set<string> } {
  const held = new Set(values.map((offer) => `bitcoin:?lno=${offer}`))
  return {
    values: held,
    domain: 'shop.test',
    async publish({ value }, { replaces = value } = {}) {
      const [only = value, ...more] = held
      if (more.length > 0 || (only !== value && only !== replaces)) throw new DnsZoneError('conflict', 'more')
      held.clear()
      held.add(value)
    },
    async withdraw({ value }) {
      held.delete(value)
    },
    authoritative: async () => [],
    async *list() {
      for (const value of held) yield { name: 'alice.user._bitcoin-payment.shop.test', value }
    },
  }
}

test.each<[string, string[], string[], string[], string[] | 'occupied']>([
  ['nothing', [], ['old'], [], ['live']],
  ['the old one', ['old'], ['old'], [], ['live']],
  ['the old one beside ours', ['live', 'old'], ['old'], [], ['live']],
  ['two old ones', ['older', 'old'], ['old', 'older'], [], ['live']],
  ['a stray one that is to be replaced', ['stray'], [], ['bitcoin:?lno=stray'], ['live']],
  ['a stranger’s', ['stranger'], ['old'], [], 'occupied'],
  ['a stranger’s beside ours', ['live', 'stranger'], [], [], 'occupied'],
])('where there is %s', async (_, there, unwanted, strays, after) => {
  const zone = zoneWith(...there)
  const wish = { wanted: 'live', unwanted, strays }
  const outcome = await settleRecord({ zone, database: database.database }, state, wish)
  if (after === 'occupied') expect(outcome).toMatchObject({ failure: { kind: 'occupied' } })
  else {
    expect(outcome).toBe('done')
    expect([...zone.values]).toEqual(after.map((offer) => `bitcoin:?lno=${offer}`))
  }
})
