import { DnsZoneError } from '@holdfast/core/dns-zone'
import { expect, test } from 'vitest'
import { makeTestZone } from '../names/testing/test-zone.ts'
import { makeTwinZone } from './twin-zone.ts'

const NAME = 'alice.user._bitcoin-payment.merchant.test'
const record = (value: string) => ({ name: NAME, value, ttlSeconds: 60 })
const [home, other] = [makeTestZone('merchant.test'), makeTestZone('other.test')]
const twin = makeTwinZone(home, other)
const held = () => [home.records.get(NAME), other.records.get(NAME)]

test('what is published, replaced and withdrawn is so in both zones; the home is what is shown', async () => {
  await twin.publish(record('old'))
  expect(held()).toEqual(['old', 'old'])
  await twin.publish(record('new'), { replaces: 'old' })
  expect(held()).toEqual(['new', 'new'])
  other.records.set(NAME, 'by hand')
  expect(await twin.authoritative(NAME)).toEqual(await home.authoritative(NAME))
  other.records.set(NAME, 'new')
  await twin.withdraw(record('new'))
  expect(held()).toEqual([undefined, undefined])
})

test.each(['unavailable', 'not-authorized'] as const)(
  'a change that one of them does not take fails, and is whole when it is tried again: %s',
  async (broken) => {
    for (const zone of [other, home]) {
      zone.broken = broken
      await expect(twin.publish(record('value'))).rejects.toBeInstanceOf(DnsZoneError)
      expect(held()[0]).toBeUndefined()
      zone.broken = null
      await twin.publish(record('value'))
      zone.broken = broken
      await expect(twin.withdraw(record('value'))).rejects.toBeInstanceOf(DnsZoneError)
      expect(held()[0]).toBe('value')
      zone.broken = null
      await twin.withdraw(record('value'))
      expect(held()).toEqual([undefined, undefined])
    }
  },
)
