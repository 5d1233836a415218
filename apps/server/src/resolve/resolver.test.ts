import { setTimeout as sleep } from 'node:timers/promises'
import { refuse } from '@holdfast/core'
import type { TxtResolution } from '@holdfast/protocols/dnssec'
import { describe, expect, test } from 'vitest'
import { makeExpiringCache } from './expiring-cache.ts'
import { makeResolver } from './resolver.ts'
import type { Crowd } from './turnstile.ts'

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

const denied = (ttlSeconds: number): TxtResolution => {
  return { status: 'nxdomain', ttlSeconds, expiresAt: START + ttlSeconds, chain: [] }
}

test.each<[string, TxtResolution, string, number]>([
  ['that there is no such name, as long as its proof', denied(30), 'RESOLVE_NO_SUCH_NAME', 30],
  ['that there is no such name, a minute at most', denied(86_400), 'RESOLVE_NO_SUCH_NAME', 60],
  [
    'that a name has no records',
    { status: 'nodata', ttlSeconds: 20, expiresAt: START + 20, chain: [] },
    'RESOLVE_NO_INSTRUCTION',
    20,
  ],
  ['a record that is none of ours', secure('v=spf1', 10), 'RESOLVE_NO_INSTRUCTION', 10],
  ['a record that is wrong', secure('bitcoin:?req-x=1', 600), 'URI_INVALID', 60],
  ['an unsigned zone', { status: 'insecure', zone: 'test', reason: '' }, 'RESOLVE_UNSIGNED', 5],
  ['a wrong signature', { status: 'bogus', code: 'signature-wrong', reason: '' }, 'RESOLVE_BOGUS', 5],
])('remembered is %s', async (_, answer, code, seconds) => {
  const { resolver, asked, now } = resolverOf([answer, secure('bitcoin:?lno=a', 86_400)])
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ refused: code })
  now.seconds += seconds - 1
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ refused: code })
  expect(asked).toHaveLength(1)
  now.seconds += 1
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ uri: 'bitcoin:?lno=a' })
})

test('a TTL of 0 is not remembered at all', async () => {
  const { resolver, asked } = resolverOf([denied(0), secure('bitcoin:?lno=a', 0), secure('bitcoin:?lno=b')])
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ refused: 'RESOLVE_NO_SUCH_NAME' })
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ uri: 'bitcoin:?lno=a' })
  expect(resolver.remembered('a@shop.test')).toBeNull()
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ uri: 'bitcoin:?lno=b' })
  expect(asked).toHaveLength(3)
})

test('that the DNS is down is not remembered, nor does it make forget what is known', async () => {
  const down: TxtResolution = { status: 'unavailable', reason: '' }
  const { resolver } = resolverOf([down, secure('bitcoin:?lno=a'), down])
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ refused: 'DNS_UNAVAILABLE' })
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ uri: 'bitcoin:?lno=a' })
  expect(await resolver.resolveFresh('a@shop.test')).toMatchObject({ refused: 'DNS_UNAVAILABLE' })
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ uri: 'bitcoin:?lno=a' })
})

test('what was learnt last counts: a name that came, and one that went', async () => {
  const { resolver, asked } = resolverOf([denied(60), secure('bitcoin:?lno=a'), denied(60)])
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ refused: 'RESOLVE_NO_SUCH_NAME' })
  await resolver.resolveFresh('a@shop.test')
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ uri: 'bitcoin:?lno=a' })
  expect(resolver.remembered('₿A@shop.test')).toMatchObject({ uri: 'bitcoin:?lno=a' })
  await resolver.resolveFresh('a@shop.test')
  expect(resolver.remembered('a@shop.test')).toBeNull()
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ refused: 'RESOLVE_NO_SUCH_NAME' })
  expect(asked).toHaveLength(3)
})

test('letters of other scripts are shown as punycode', async () => {
  const { resolver, asked } = resolverOf([secure('bitcoin:?lno=a')])
  // The first letter is Cyrillic.
  const resolved = await resolver.resolve('аlice@shop.test')
  expect(resolved).toMatchObject({ name: 'xn--lice-43d@shop.test', hasPunycode: true })
  expect(asked).toEqual(['xn--lice-43d.user._bitcoin-payment.shop.test'])
  expect(await resolver.resolve('alice@shop.test')).toMatchObject({ hasPunycode: false })
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
  const cache = makeExpiringCache<string>(2)
  cache.put('a', 'A', 10)
  cache.put('b', 'B', 10)
  expect(cache.get('a', 0)).toBe('A')
  cache.put('c', 'C', 10)
  expect(['a', 'b', 'c'].map((key) => cache.get(key, 0))).toEqual(['A', null, 'C'])
})

test('a name is no name: nothing is remembered of it', () => {
  expect(resolverOf([]).resolver.remembered('alice')).toBeNull()
})

describe('many who ask at once', () => {
  /** Every validation waits until `answer` is called for its name. */
  function crowded(limits: Partial<Crowd>) {
    const crowd = { atOnce: 1, waiting: 0, patienceMs: 5_000, perAsker: 1, ...limits }
    const open = new Map<string, (found: TxtResolution) => void>()
    const asked: string[] = []
    const resolver = makeResolver({
      clock: () => START * 1000,
      crowd,
      resolveTxt: (name) => {
        asked.push(name.split('.')[0]!)
        return new Promise((resolve) => open.set(name.split('.')[0]!, resolve))
      },
    })
    const answer = (user: string) => open.get(user)!(secure(`bitcoin:?lno=${user}`))
    const forAnyone = (user: string, asker = user) => resolver.resolveForAnyone(`${user}@shop.test`, asker)
    return { resolver, asked, answer, forAnyone }
  }

  test('about one name share one validation', async () => {
    const { asked, answer, forAnyone } = crowded({ atOnce: 1, waiting: 0, patienceMs: 5_000 })
    const all = Array.from({ length: 50 }, () => forAnyone('a'))
    answer('a')
    const uris = (await Promise.all(all)).map((resolved) => 'uri' in resolved && resolved.uri)
    expect(new Set(uris)).toEqual(new Set(['bitcoin:?lno=a']))
    expect(asked).toEqual(['a'])
  })

  test('are validated so many at a time, some wait, and the others are told when to come back', async () => {
    const { asked, answer, forAnyone } = crowded({ atOnce: 2, waiting: 1, patienceMs: 5_000 })
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((user) => forAnyone(user))
    expect(await d).toEqual(refuse('OVERLOADED', { retryAfterSeconds: 2 }))
    expect(asked).toEqual(['a', 'b'])
    answer('b')
    expect(await b).toMatchObject({ uri: 'bitcoin:?lno=b' })
    await expect.poll(() => asked).toEqual(['a', 'b', 'c'])
    answer('a')
    answer('c')
    expect(await a).toMatchObject({ uri: 'bitcoin:?lno=a' })
    expect(await c).toMatchObject({ uri: 'bitcoin:?lno=c' })
    // That one was refused for want of time is not remembered of its name.
    const again = forAnyone('d')
    answer('d')
    expect(await again).toMatchObject({ uri: 'bitcoin:?lno=d' })
  })

  test('of whom one asks for too much at once leave places for the others', async () => {
    const { asked, answer, forAnyone } = crowded({ atOnce: 3, perAsker: 2 })
    const [a, b, c] = ['a', 'b', 'c'].map((user) => forAnyone(user, 'one who asks a lot'))
    expect(await c).toEqual(refuse('RATE_LIMITED', { retryAfterSeconds: 2 }))
    const d = forAnyone('d', 'another')
    for (const user of ['a', 'b', 'd']) answer(user)
    expect(await Promise.all([a, b, d])).toMatchObject([{ name: 'a@shop.test' }, {}, { name: 'd@shop.test' }])
    expect(asked).toEqual(['a', 'b', 'd'])
    const e = forAnyone('e', 'one who asks a lot')
    answer('e')
    expect(await e).toMatchObject({ name: 'e@shop.test' })
  })

  test('and whose turn does not come in time: refused, not validated', async () => {
    const { asked, answer, forAnyone } = crowded({ atOnce: 1, waiting: 5, patienceMs: 1 })
    const [a, b] = ['a', 'b'].map((user) => forAnyone(user))
    await sleep(20)
    answer('a')
    expect(await a).toMatchObject({ uri: 'bitcoin:?lno=a' })
    expect(await b).toMatchObject({ refused: 'OVERLOADED' })
    expect(asked).toEqual(['a'])
  })

  test('do not hold up our own payments and registrations', async () => {
    const { resolver, answer, forAnyone } = crowded({ atOnce: 1, waiting: 0, patienceMs: 5_000 })
    const a = forAnyone('a')
    const ours = [resolver.resolve('b@shop.test'), resolver.resolveFresh('c@shop.test')]
    answer('b')
    answer('c')
    expect(await Promise.all(ours)).toMatchObject([{ uri: 'bitcoin:?lno=b' }, { uri: 'bitcoin:?lno=c' }])
    answer('a')
    expect(await a).toMatchObject({ uri: 'bitcoin:?lno=a' })
  })

  test('fail together when the validation breaks, and the next who asks tries again', async () => {
    let fails = true
    const resolver = makeResolver({
      clock: () => START * 1000,
      resolveTxt: async () => {
        if (fails) throw new Error('a fault')
        return secure('bitcoin:?lno=a')
      },
    })
    const all = [1, 2].map(() =>
      resolver.resolveForAnyone('a@shop.test', 'somebody').catch((error) => error.message),
    )
    expect(await Promise.all(all)).toEqual(['a fault', 'a fault'])
    fails = false
    expect(await resolver.resolveForAnyone('a@shop.test', 'somebody')).toMatchObject({
      uri: 'bitcoin:?lno=a',
    })
  })
})

test('a validation that takes too long is told to ask no more', async () => {
  let told: AbortSignal | undefined
  const resolver = makeResolver({
    clock: () => START * 1000,
    timeoutMs: 10,
    resolveTxt: (_name, _now, signal) => {
      told = signal
      return new Promise(() => undefined)
    },
  })
  expect(await resolver.resolve('a@shop.test')).toMatchObject({ refused: 'DNS_UNAVAILABLE' })
  expect(told?.aborted).toBe(true)
})
