import type { TxtResolution } from '@holdfast/protocols/dnssec'
import { expect, test } from 'vitest'
import { makeResolutionCache } from './resolution-cache.ts'
import { makeResolver, type ResolvedName } from './resolver.ts'

const START = 1_800_000_000

function resolverOf(answers: TxtResolution[], now = { seconds: START }) {
  const asked: string[] = []
  const resolver = makeResolver({
    clock: () => now.seconds * 1000,
    resolveTxt: async (name) => {
      asked.push(name)
      return answers[Math.min(asked.length, answers.length) - 1]!
    },
  })
  return { resolver, asked, now }
}

const secure = (value: string, ttlSeconds = 60): TxtResolution => ({
  status: 'secure',
  values: [new TextEncoder().encode(value)],
  ttlSeconds,
  expiresAt: START + ttlSeconds,
  chain: [],
})

test('a name is remembered for its smallest signed TTL, and no longer', async () => {
  const { resolver, asked, now } = resolverOf([secure('bitcoin:?lno=a', 30), secure('bitcoin:?lno=b', 90)])
  expect(await resolver.resolve('₿Alice@Shop.test')).toMatchObject({
    name: 'alice@shop.test',
    uri: 'bitcoin:?lno=a',
    expiresAt: (START + 30) * 1000,
  })
  now.seconds += 29
  expect(await resolver.resolve('alice@shop.test')).toMatchObject({ uri: 'bitcoin:?lno=a' })
  expect(asked).toEqual(['alice.user._bitcoin-payment.shop.test'])
  now.seconds += 1
  expect(await resolver.resolve('alice@shop.test')).toMatchObject({ uri: 'bitcoin:?lno=b' })
})

test('a refusal is not remembered', async () => {
  const { resolver } = resolverOf([{ status: 'unavailable', reason: '' }, secure('bitcoin:?lno=a')])
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ refused: 'DNS_UNAVAILABLE' })
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ uri: 'bitcoin:?lno=a' })
})

test('a DNS that answers too slowly counts as one that is down, and is asked again', async () => {
  const answers = [new Promise<TxtResolution>(() => undefined), secure('bitcoin:?lno=a')]
  const resolver = makeResolver({
    clock: () => START * 1000,
    resolveTxt: async () => answers.shift()!,
    timeoutMs: 20,
  })
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ refused: 'DNS_UNAVAILABLE' })
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ uri: 'bitcoin:?lno=a' })
})

test('who asks freshly asks the DNS', async () => {
  const { resolver, asked } = resolverOf([secure('bitcoin:?lno=a'), secure('bitcoin:?lno=b')])
  await resolver.resolve('a@shop.test')
  expect(await resolver.resolveFresh('a@shop.test')).toMatchObject({ uri: 'bitcoin:?lno=b' })
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ uri: 'bitcoin:?lno=b' })
  expect(asked).toHaveLength(2)
})

test('what is no name is refused without asking', async () => {
  const { resolver, asked } = resolverOf([secure('bitcoin:?lno=a')])
  for (const resolve of [resolver.resolve, resolver.resolveFresh]) {
    expect(await resolve('alice')).toMatchObject({ refused: 'NAME_INVALID' })
  }
  expect(asked).toEqual([])
})

test('bytes that are not ASCII make the URI invalid', async () => {
  const { resolver } = resolverOf([secure('bitcoin:?lno=ä')])
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ refused: 'URI_INVALID' })
})

test('the memory is bounded: what was not asked for the longest time goes first', () => {
  const cache = makeResolutionCache(2)
  const name = (text: string) => ({ name: text, expiresAt: 10 }) as ResolvedName
  cache.put(name('a'))
  cache.put(name('b'))
  expect(cache.get('a', 0)).not.toBeNull()
  cache.put(name('c'))
  expect([cache.get('a', 0), cache.get('b', 0), cache.get('c', 0)].map((kept) => kept?.name)).toEqual([
    'a',
    undefined,
    'c',
  ])
})
