import type { NameIn } from '@holdfast/core/names/name-states'
import { TYPE } from '@holdfast/protocols/dns/codes'
import { resolveTxt } from '@holdfast/protocols/dnssec'
import { makeWorld, text } from '@holdfast/protocols/dnssec/testing/signed-world'
import { expect, test } from 'vitest'
import { examineName, type Finding } from './examine-name.ts'

const HOUR = 3_600
const NOW = Math.floor(Date.now() / 1000)
const OURS = 'bitcoin:?lno=lno1ours'
const NAME = 'alice.user._bitcoin-payment.shop.test'

type World = Parameters<typeof makeWorld>[0][number]
type Case = {
  title: string
  values?: readonly string[]
  /** Of `shop.test`. */
  zone?: Partial<World>
  test?: Partial<World>
  live?: Partial<NameIn<'active'>['live']>
  finding: Finding
}

const unhealthy = (reason: Extract<Finding, { health: 'unhealthy' }>['reason'], found?: string): Finding => ({
  health: 'unhealthy',
  reason,
  ...(found !== undefined && { found }),
})

const cases: Case[] = [
  { title: 'our record', values: [OURS], finding: { health: 'healthy' } },
  { title: 'our record beside others', values: ['v=spf1 -all', OURS], finding: { health: 'healthy' } },
  { title: 'no record', values: [], finding: unhealthy('not-found') },
  { title: 'only records of others', values: ['v=spf1 -all'], finding: unhealthy('not-found') },
  {
    title: 'another offer',
    values: ['bitcoin:?lno=lno1theirs'],
    finding: unhealthy('content-changed', 'bitcoin:?lno=lno1theirs'),
  },
  { title: 'what is no text', values: ['bitcoin:?lno=ä'], finding: unhealthy('content-changed') },
  {
    title: 'a second instruction, in other case',
    values: [OURS, 'BITCOIN:?lno=lno1theirs'],
    finding: unhealthy('second-record'),
  },
  { title: 'a zone without DS', values: [OURS], zone: { ds: null }, finding: unhealthy('zone-unsigned') },
  {
    title: 'a signature that has expired',
    values: [OURS],
    zone: { expiration: NOW - HOUR },
    finding: unhealthy('signature-expired'),
  },
  {
    title: 'a signature of the future',
    values: [OURS],
    zone: { inception: NOW + HOUR },
    finding: unhealthy('bogus'),
  },
  {
    title: 'a signature that expires in eleven hours',
    values: [OURS],
    zone: { expiration: NOW + 11 * HOUR },
    finding: unhealthy('signature-expires-soon'),
  },
  {
    title: 'a signature that expires in thirteen hours',
    values: [OURS],
    zone: { expiration: NOW + 13 * HOUR },
    finding: { health: 'healthy' },
  },
  {
    title: 'a signature of the zone above that expires soon',
    values: [OURS],
    test: { expiration: NOW + HOUR },
    finding: { health: 'healthy' },
  },
  {
    title: 'an offer that expires soon',
    values: [OURS],
    live: { expiresAt: (NOW + 24 * HOUR) * 1000 },
    finding: unhealthy('offer-expiring'),
  },
]

test.each(cases)('$title', async ({ values = [], zone, test, live, finding }) => {
  const { anchors, query } = makeWorld([
    { apex: '.' },
    { apex: 'test.', ...test },
    {
      apex: 'shop.test.',
      ...zone,
      data: (add) => {
        if (values.length > 0)
          add('alice.user._bitcoin-payment', TYPE.TXT, ...values.map((value) => text(value)))
      },
    },
  ])
  const resolution = await resolveTxt(NAME, { query, anchors, nowSeconds: NOW })
  expect(examineName(stateWith(live), resolution, NOW * 1000)).toEqual(finding)
})

test('a DNS that is down says nothing', () => {
  const found = examineName(stateWith({}), { status: 'unavailable', reason: 'timeout' }, NOW * 1000)
  expect(found).toEqual({ health: 'unknown' })
})

function stateWith(live: Case['live']): NameIn<'active'> {
  const offer = { no: 0, owner: 'alice', source: 'node', offer: 'lno1ours', ...live }
  return { phase: 'active', live: offer } as NameIn<'active'>
}
