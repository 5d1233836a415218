import type { Ds, ZoneAction } from '@holdfast/core/zones/zone-states'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeCloudflareApi } from '../dns/cloudflare/cloudflare-client.ts'
import {
  type CloudflareDouble,
  replies,
  startCloudflareDouble,
} from '../dns/cloudflare/testing/cloudflare-double.ts'
import { Secret } from '../platform/secret.ts'
import type { ActOnZone } from './act-on-zone.ts'
import { dsAtCloudflare } from './ds-at-cloudflare.ts'
import { signAtCloudflare } from './sign-at-cloudflare.ts'

const ZONE = 'shop.test'
const K1: Ds = { keyTag: 1, algorithm: 13, digestType: 2, digest: 'aa'.repeat(32) }
const K2: Ds = { ...K1, keyTag: 2, digest: 'bb'.repeat(32) }
const { signal } = new AbortController()

let double: CloudflareDouble
beforeEach(async () => {
  double = await startCloudflareDouble(ZONE)
})
afterEach(() => double.stop())

const api = (token = double.token) =>
  makeCloudflareApi({ token: new Secret(token), baseUrl: double.url, timeoutMs: 20_000, now: Date.now })
const asks =
  (act: ActOnZone, domain: string) =>
  (action: ZoneAction, ...ds: Ds[]) =>
    act({ domain, action, ds, signal })
const changes = () => double.calls.filter((call) => !call.startsWith('GET'))
/** It is carried out, and the answer says otherwise. */
const lost = () => ({ status: 500, body: 'lost' })

describe('a zone at Cloudflare', () => {
  const ask = (action: ZoneAction, ...ds: Ds[]) => asks(signAtCloudflare(api()), ZONE)(action, ...ds)

  test('is signed, and its DS left to the registrar; a person is asked until it is there', async () => {
    expect(await ask('sign')).toBe('done')
    expect(double.dnssec).toMatchObject({ on: true })
    expect(await ask('publish-ds', K1)).toBe('by-person')
    double.dnssec.hasDs = true
    expect(await ask('publish-ds', K1)).toBe('done')
    expect(changes()).toHaveLength(1)
  })

  test('asks for the DS to be removed while it goes on signing, and ends signing when nothing points to it', async () => {
    await ask('sign')
    double.dnssec.hasDs = true
    expect(await ask('withdraw-ds')).toBe('by-person')
    expect(double.dnssec).toMatchObject({ on: false, modified_on: expect.any(String) })
    await expect(ask('unsign')).rejects.toThrow('remove the DS record first')
    double.dnssec.hasDs = false
    expect(await ask('withdraw-ds')).toBe('done')
    expect(await ask('unsign')).toBe('done')
    expect(double.dnssec.modified_on).toBeNull()
  })

  test('takes each twice, also when the answer to the first was lost', async () => {
    double.failNext('PATCH', lost)
    await expect(ask('sign')).rejects.toThrow()
    expect(await ask('sign')).toBe('done')
    double.failNext('PATCH', lost)
    await expect(ask('withdraw-ds')).rejects.toThrow()
    expect(await ask('withdraw-ds')).toBe('done')
    double.failNext('DELETE', lost)
    await expect(ask('unsign')).rejects.toThrow()
    expect(await ask('unsign')).toBe('done')
    expect(changes()).toHaveLength(3)
    expect(await ask('withdraw-ds')).toBe('done')
    expect(changes()).toHaveLength(3)
  })

  test('keeps its keys: rolling them is not ours', async () => {
    expect(await ask('add-key')).toBe('by-person')
    expect(await ask('remove-key', K1)).toBe('by-person')
  })

  test('that the token may not see says so', async () => {
    await expect(asks(signAtCloudflare(api()), 'other.test')('sign')).rejects.toThrow(
      'other.test is no zone that the Cloudflare token may see',
    )
    await expect(asks(signAtCloudflare(api('x'.repeat(40))), ZONE)('sign')).rejects.toThrow('Authentication')
  })
})

describe('the zone above at Cloudflare', () => {
  const CHILD = `eu.pay.${ZONE}`
  const ask = (action: ZoneAction, ...ds: Ds[]) => asks(dsAtCloudflare(api()), CHILD)(action, ...ds)
  const shown = () =>
    double.records.map(({ name, type, content, ttl }) => `${name} ${ttl} ${type} ${content}`).sort()
  const line = ({ keyTag, algorithm, digestType, digest }: Ds) =>
    `${CHILD} 3600 DS ${keyTag} ${algorithm} ${digestType} ${digest}`

  test('shows the DS records that it shall, and no others; a new one before the old one goes', async () => {
    double.add({ name: CHILD, type: 'NS', content: 'ns.elsewhere.test' })
    expect(await ask('publish-ds', K1)).toBe('done')
    expect(await ask('publish-ds', K1)).toBe('done')
    expect(changes()).toHaveLength(1)
    expect(await ask('publish-ds', K2)).toBe('done')
    expect(changes().map((call) => call.split(' ')[0])).toEqual(['POST', 'POST', 'DELETE'])
    const ns = `${CHILD} 300 NS ns.elsewhere.test`
    expect(shown()).toEqual([ns, line(K2)].sort())
    expect(await ask('withdraw-ds')).toBe('done')
    expect(shown()).toEqual([ns])
  })

  test.each<[string, ZoneAction, Ds[], string[]]>([
    ['POST', 'publish-ds', [K2], [line(K2)]],
    ['DELETE', 'withdraw-ds', [], []],
  ])('changes it once when the answer to a %s was lost', async (method, action, ds, after) => {
    await ask('publish-ds', K1)
    double.failNext(method, lost)
    await expect(ask(action, ...ds)).rejects.toThrow()
    expect(await ask(action, ...ds)).toBe('done')
    expect(shown()).toEqual(after)
  })

  test('has nothing to do with keys', async () => {
    for (const action of ['sign', 'unsign', 'add-key', 'remove-key'] as const)
      expect(await ask(action)).toBe('by-person')
    expect(double.calls).toEqual([])
  })

  test('that the token may not see says so, and what it refuses is told', async () => {
    await expect(asks(dsAtCloudflare(api()), 'pay.other.test')('publish-ds', K1)).rejects.toThrow(
      'the Cloudflare token may see no zone above pay.other.test',
    )
    double.failNext('POST', () => replies.failure(400, 9_021, 'A DS needs NS records at its name.'))
    await expect(ask('publish-ds', K1)).rejects.toThrow('A DS needs NS records')
  })
})
