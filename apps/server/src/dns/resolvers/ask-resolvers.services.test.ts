import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SignedDns, startSignedDns } from '@holdfast/devnet/dns/signed-dns'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AskResolvers, makeAskResolvers } from './ask-resolvers.ts'
import { parseResolverEndpoint } from './resolver-endpoint.ts'
import { type RunningUnbound, startUnbound } from './testing/unbound.ts'

const DOMAIN = 'shop.test'
const VALUE = `bitcoin:?lno=lno1${'qp0z'.repeat(150)}`

describe('Unbound', () => {
  let folder: string
  let dns: SignedDns
  let unbound: RunningUnbound
  let credulous: RunningUnbound
  let counter = 0
  const ends: (() => void)[] = []

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-unbound-'))
    dns = await startSignedDns({ folder, zones: [DOMAIN] })
    unbound = await startUnbound(dns, { validates: true })
    credulous = await startUnbound(dns, { validates: false })
  })
  afterAll(async () => {
    for (const end of ends) end()
    await Promise.all([unbound.stop(), credulous.stop()])
    await dns.stop()
    rmSync(folder, { recursive: true })
  })

  const newName = () => `u${++counter}.user._bitcoin-payment.${DOMAIN}`
  const publish = (name: string, value = VALUE, ttlSeconds = 60) =>
    dns.zone(DOMAIN).publish({ name, value, ttlSeconds })

  function asking(...resolvers: string[]): AskResolvers {
    const made = makeAskResolvers({
      resolvers: resolvers.map(parseResolverEndpoint),
      quorum: resolvers.length,
      timeoutMs: 20_000,
    })
    ends.push(made.close)
    return made.ask
  }

  test('has seen a record at once over UDP, TCP and HTTPS when it was never asked before', async () => {
    const name = newName()
    await publish(name)
    const ask = asking(unbound.server, `tcp://${unbound.server}`, unbound.doh)
    expect(await ask({ name, value: VALUE })).toMatchObject({
      decision: 'confirmed',
      results: [{ verdict: 'seen' }, { verdict: 'seen' }, { verdict: 'seen' }],
    })
  })

  test('gives a record that does not fit a datagram over TCP', async () => {
    const name = newName()
    const value = `bitcoin:?lno=lno1${'qp0z'.repeat(1_000)}`
    await publish(name, value)
    expect(await asking(unbound.server)({ name, value })).toMatchObject({ decision: 'confirmed' })
  })

  test('that was asked too early remembers that there was nothing, says for how long, and then sees it', async () => {
    const name = newName()
    const ask = asking(unbound.server)
    const record = { name, value: VALUE }
    expect((await ask(record)).results).toMatchObject([{ verdict: 'stale', held: 'nothing' }])
    await publish(name)
    const early = await ask(record)
    expect(early).toMatchObject({ decision: 'waiting', results: [{ verdict: 'stale', held: 'nothing' }] })
    expect(early.retryAfterMs).toBeLessThanOrEqual(5_000)
    await expect
      .poll(async () => (await ask(record)).decision, { timeout: 15_000, interval: 500 })
      .toBe('confirmed')
  })

  test('remembers the value before for its TTL, and then sees the new one', async () => {
    const name = newName()
    const ask = asking(unbound.server)
    await publish(name, 'bitcoin:?lno=lno1old', 3)
    await ask({ name, value: 'bitcoin:?lno=lno1old' })
    await dns
      .zone(DOMAIN)
      .publish({ name, value: VALUE, ttlSeconds: 3 }, { replaces: 'bitcoin:?lno=lno1old' })
    const record = { name, value: VALUE, previous: ['bitcoin:?lno=lno1old'] }
    expect((await ask(record)).results).toMatchObject([{ verdict: 'stale', held: 'previous' }])
    expect((await ask({ name, value: VALUE })).decision).toBe('contradicted')
    await expect
      .poll(async () => (await ask(record)).decision, { timeout: 15_000, interval: 300 })
      .toBe('confirmed')
  })

  test.each([
    // RFC 8914 §4.7, §4.8, §4.10, §4.11 say why.
    ['unsigned', [6, 9, 10, 12]],
    ['expired', [6, 7, 9]],
    ['wrong-key', [6, 9]],
  ] as const)(
    'refuses a zone that signs %s, and another that does not validate takes it',
    async (fault, why) => {
      const name = newName()
      await publish(name)
      dns.zone(DOMAIN).breakSigning(fault)
      try {
        const { results } = await asking(unbound.server, credulous.server)({ name, value: VALUE })
        expect(results).toMatchObject([{ verdict: 'servfail' }, { verdict: 'unvalidated' }])
        const [broken] = results
        expect(why).toContain(broken?.verdict === 'servfail' ? broken.extendedError : null)
      } finally {
        dns.zone(DOMAIN).mendSigning()
      }
    },
  )
})
