import { encodeOffer } from '@holdfast/protocols/bolt12'
import { metadataHash } from '@holdfast/protocols/lnurl/metadata'
import { chainHashOf } from '@holdfast/protocols/network'
import { encodeInvoice, fieldOf } from '@holdfast/protocols/testing/bolt11-encoder'
import { publicKey, secretKey } from '@holdfast/protocols/testing/points'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type SlicesWorld, startSlicesWorld } from '../names/testing/slices-world.ts'
import { OutboundError } from '../outbound/outbound-error.ts'
import { withDatabase } from '../platform/testing/with-database.ts'

const database = withDatabase()
let world: SlicesWorld

beforeAll(async () => {
  world = await startSlicesWorld(database)
})
afterAll(() => world.stop())
afterEach(() => {
  world.dns.answer = null
  world.time.shiftMs = 0
})

type OfferParts = Partial<Parameters<typeof encodeOffer>[0]>
const offer = (parts: OfferParts = {}) =>
  encodeOffer({ chains: [chainHashOf('regtest')], issuerId: publicKey(7), description: 'x', ...parts }).text

const pay = (device: Parameters<SlicesWorld['send']>[2], body: Record<string, unknown>) =>
  world.send('POST', '/v1/payments', device, body as never)

const ends = async (device: Parameters<SlicesWorld['send']>[2], id: string) =>
  (await world.get(`/v1/payments/${id}?wait=20`, device)).json()

describe('a payment to a name that does not resolve', () => {
  const at = { ttlSeconds: 60, expiresAt: 4_000_000_000, chain: [] }
  const values = (...texts: string[]) => ({
    status: 'secure' as const,
    values: texts.map((text) => new TextEncoder().encode(text)),
    ...at,
  })
  test.each([
    ['nxdomain', { status: 'nxdomain' as const, ...at }, 'RESOLVE_NO_SUCH_NAME', 404],
    ['nodata', { status: 'nodata' as const, ...at }, 'RESOLVE_NO_INSTRUCTION', 404],
    ['other TXT', values('v=spf1'), 'RESOLVE_NO_INSTRUCTION', 404],
    ['unsigned', { status: 'insecure' as const, zone: 'x', reason: '' }, 'RESOLVE_UNSIGNED', 422],
    [
      'bogus',
      { status: 'bogus' as const, code: 'signature-wrong' as const, reason: '' },
      'RESOLVE_BOGUS',
      422,
    ],
    ['two records', values('bitcoin:?lno=a', 'BITCOIN:?lno=b'), 'RESOLVE_AMBIGUOUS', 422],
    ['a bad URI', values('bitcoin:?req-new=1&lno=a'), 'URI_INVALID', 422],
  ])('%s: fails with its own code, as resolving does', async (_what, answer, code, status) => {
    world.dns.answer = answer
    const name = `n${Math.random().toString(36).slice(2)}@far.test`
    expect((await world.get(`/v1/resolve/${name}`)).json()).toMatchObject({ code, status })
    const { device, node } = world.newUser()
    const { id } = (await pay(device, { to: name, amountMsat: '1000' })).json()
    expect(await ends(device, id)).toMatchObject({ state: 'failed', error: { code } })
    expect(node.payCalls).toBe(0)
  })

  test('a record that we cannot pay', async () => {
    world.dns.answer = values('bitcoin:?sp=sp1qq')
    const { device } = world.newUser()
    const { id } = (await pay(device, { to: 'silent@far.test', amountMsat: '1000' })).json()
    expect(await ends(device, id)).toMatchObject({ error: { code: 'URI_NOT_PAYABLE' } })
  })

  test('an offer that leaves the amount to a payer who named none', async () => {
    world.dns.answer = values(`bitcoin:?lno=${offer()}`)
    const { device } = world.newUser()
    const { id } = (await pay(device, { to: 'open@far.test' })).json()
    expect(await ends(device, id)).toMatchObject({ error: { code: 'AMOUNT_REQUIRED' } })
  })

  test('an offer that asks for another amount', async () => {
    world.dns.answer = values(`bitcoin:?lno=${offer({ amount: { msat: 5n } })}`)
    const { device } = world.newUser()
    const { id } = (await pay(device, { to: 'priced@far.test', amountMsat: '1000' })).json()
    expect(await ends(device, id)).toMatchObject({ error: { code: 'AMOUNT_MISMATCH' } })
  })

  test('while the DNS is down it waits, and fails after the deadline', async () => {
    world.dns.answer = { status: 'unavailable', reason: '' }
    expect((await world.get('/v1/resolve/a@far.test')).json()).toMatchObject({ code: 'DNS_UNAVAILABLE' })
    const { device } = world.newUser()
    const { id } = (await pay(device, { to: 'down@far.test', amountMsat: '1000' })).json()
    expect((await world.get(`/v1/payments/${id}`, device)).json()).toMatchObject({ state: 'resolving' })
    world.time.shiftMs = 61_000
    expect(await world.paymentIs(device, id, 'failed')).toMatchObject({ error: { code: 'DNS_UNAVAILABLE' } })
  })
})

describe('a payment to a name that falls back to its Lightning Address', () => {
  const nobody = { status: 'nxdomain' as const, ttlSeconds: 0, expiresAt: 0, chain: [] }
  const metadata = '[["text/plain","Pay alice"]]'
  const fallback = 'lightning-address'
  const host = (url: string, more: object = {}) => {
    const { searchParams, pathname } = new URL(url)
    if (pathname.startsWith('/.well-known/')) {
      const limits = { minSendable: 1_000, maxSendable: 1_000_000, commentAllowed: 10 }
      return { tag: 'payRequest', callback: 'https://host.test/pay', metadata, ...limits, ...more }
    }
    const amountMsat = BigInt(searchParams.get('amount')!)
    const fields = [
      fieldOf.hex('p', '11'.repeat(32)),
      fieldOf.hex('s', '22'.repeat(32)),
      fieldOf.hex('h', metadataHash(metadata)),
    ]
    const createdAt = Math.floor(Date.now() / 1000) * 1000
    return { pr: encodeInvoice({ amountMsat, createdAt, fields, secretKey: secretKey(9) }) }
  }
  const anyName = () => `n${Math.random().toString(36).slice(2)}@far.test`

  test.each([
    ['there is no such name', nobody],
    ['the name has no record', { ...nobody, status: 'nodata' as const }],
    ['the zone is not signed', { status: 'insecure' as const, zone: 'far.test', reason: '' }],
  ])('succeeds when %s, and says that nothing is proven', async (_, answer) => {
    world.dns.answer = answer
    const asked: string[] = []
    world.web.answer = (url) => {
      asked.push(url)
      return host(url)
    }
    const { device, node } = world.newUser()
    const name = anyName()
    const { id } = (
      await pay(device, { to: `₿${name}`, amountMsat: '21000', note: 'thanks', fallback })
    ).json()
    const payment = await ends(device, id)
    expect(payment).toMatchObject({ state: 'succeeded', name, via: fallback, note: 'thanks' })
    expect([...node.paid.values()]).toMatchObject([{ amountMsat: 21_000n, destination: { kind: 'bolt11' } }])
    expect(asked).toEqual([
      `https://far.test/.well-known/lnurlp/${name.split('@')[0]}`,
      'https://host.test/pay?amount=21000&comment=thanks',
    ])
    const actors = await database.db
      .selectFrom('journal')
      .select('actor')
      .where('entity_id', '=', id)
      .where('kind', '=', 'payment.resolved')
      .execute()
    expect(actors).toEqual([{ actor: 'lightning-address' }])
  })

  test.each([
    ['nobody asked for that', nobody, {}, 'RESOLVE_NO_SUCH_NAME'],
    [
      'a signature is wrong',
      { status: 'bogus' as const, code: 'signature-wrong' as const, reason: '' },
      { fallback },
      'RESOLVE_BOGUS',
    ],
  ])('is not asked for when %s', async (_, answer, more, code) => {
    world.dns.answer = answer
    world.web.answer = vi.fn(host)
    const { device } = world.newUser()
    const { id } = (await pay(device, { to: anyName(), amountMsat: '21000', ...more })).json()
    expect(await ends(device, id)).toMatchObject({ state: 'failed', error: { code } })
    expect(world.web.answer).not.toHaveBeenCalled()
  })

  test.each<[string, Record<string, unknown>, object, string]>([
    ['no amount is named', {}, {}, 'AMOUNT_REQUIRED'],
    ['the amount is more than it takes', { amountMsat: '1000001' }, {}, 'ADDRESS_AMOUNT_OUTSIDE'],
    [
      'the note is longer than it takes',
      { amountMsat: '21000', note: '12345678901' },
      {},
      'NOTE_NOT_ACCEPTED',
    ],
    ['its host breaks the rules', { amountMsat: '21000' }, { minSendable: 0 }, 'ADDRESS_INVALID'],
    ['its host says no', { amountMsat: '21000' }, { status: 'ERROR', reason: 'no' }, 'ADDRESS_REFUSED'],
    [
      'its invoice is for something else',
      { amountMsat: '21000' },
      { metadata: '[["text/plain",""]]' },
      'ADDRESS_INVALID',
    ],
  ])('fails when %s', async (_, body, more, code) => {
    world.dns.answer = nobody
    world.web.answer = (url) => host(url, more)
    const { device, node } = world.newUser()
    const { id } = (await pay(device, { to: anyName(), fallback, ...body })).json()
    expect(await ends(device, id)).toMatchObject({ state: 'failed', error: { code } })
    expect(node.payCalls).toBe(0)
  })

  test('waits for a host that does not answer', async () => {
    world.dns.answer = nobody
    let silent = 2
    world.web.answer = (url) => {
      if (silent-- > 0) throw new OutboundError('too-slow', 'far.test takes too long')
      return host(url)
    }
    const { device } = world.newUser()
    const { id } = (await pay(device, { to: anyName(), amountMsat: '21000', fallback })).json()
    expect(await ends(device, id)).toMatchObject({ state: 'succeeded' })
  })

  test('is told by resolving, too, when it is asked for', async () => {
    world.dns.answer = nobody
    world.web.answer = host
    const name = anyName()
    expect((await world.get(`/v1/resolve/${name}`)).json()).toMatchObject({ code: 'RESOLVE_NO_SUCH_NAME' })
    expect((await world.get(`/v1/resolve/${name}?fallback=lightning-address`)).json()).toEqual({
      name,
      hasPunycode: false,
      provenByDnssec: false,
      lightningAddress: {
        minMsat: '1000',
        maxMsat: '1000000',
        description: 'Pay alice',
        noteMaxCharacters: 10,
      },
    })
    world.web.answer = () => ({ status: 'ERROR', reason: 'gone' })
    expect((await world.get(`/v1/resolve/${name}?fallback=lightning-address`)).json()).toMatchObject({
      code: 'ADDRESS_REFUSED',
      reason: 'gone',
    })
  })
})
