import { refuse } from '@holdfast/core'
import { replayPayment } from '@holdfast/core/payments/payment-machine'
import { NodeError } from '@holdfast/lightning'
import { parseBitcoinUri } from '@holdfast/protocols/bip321'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import { decodeCommand } from './payment-codec.ts'
import { makePaymentsWorld, offerOf, type PaymentsWorld } from './testing/payments-world.ts'

const database = withDatabase()
let world: PaymentsWorld

beforeEach(() => {
  world = makePaymentsWorld(database)
})

const resolvedTo = (uri: string) => ({
  name: 'alice@shop.test',
  parsed: parseBitcoinUri(uri),
  expiresAt: world.time.now + 60_000,
})

describe('a name', () => {
  const resolvesTo = (uri: string) => vi.mocked(world.resolver.resolve).mockResolvedValue(resolvedTo(uri))

  test('is resolved, then paid', async () => {
    resolvesTo(`bitcoin:?lno=${offerOf()}`)
    const { id } = await world.start({ to: '₿Alice@Shop.test', amountMsat: '5' })
    await world.run('resolve')
    expect(world.resolver.resolve).toHaveBeenCalledWith('alice@shop.test')
    await world.run('pay')
    expect(await world.read(id)).toMatchObject({ phase: 'succeeded', to: '₿Alice@Shop.test' })
    const [request] = world.node.paid.values()
    expect(request).toMatchObject({ destination: { kind: 'bolt12', payee: 'alice@shop.test' } })
  })

  test('may name the amount', async () => {
    resolvesTo(`bitcoin:?amount=0.00000001&lno=${offerOf()}`)
    const { id } = await world.start({ to: 'alice@shop.test' })
    await world.run('resolve')
    expect(await world.read(id)).toMatchObject({ phase: 'sending', amountMsat: 1000n })
  })

  test.each([true, false])(
    'whose offer takes no note as long as this one fails at once; the name was known: %s',
    async (isKnown) => {
      const uri = `bitcoin:?lno=${offerOf()}`
      resolvesTo(uri)
      if (isKnown) vi.mocked(world.resolver.remembered).mockReturnValue(resolvedTo(uri))
      const note = 'é'.repeat(257)
      const { id } = await world.start({ to: 'alice@shop.test', amountMsat: '5', note })
      await world.run('resolve')
      expect(await world.read(id)).toMatchObject({ phase: 'failed', cause: 'NOTE_NOT_ACCEPTED' })
    },
  )

  test('waits for the DNS and for the node, and is then paid', async () => {
    vi.mocked(world.resolver.resolve).mockResolvedValue(refuse('DNS_UNAVAILABLE'))
    const { id } = await world.start({ to: 'alice@shop.test', amountMsat: '5' })
    await world.run('resolve')
    expect(await world.read(id)).toMatchObject({ phase: 'resolving', lastFailure: 'DNS_UNAVAILABLE' })
    world.connected.node = null
    await world.run('resolve')
    expect(await world.read(id)).toMatchObject({ phase: 'resolving', lastFailure: 'NODE_NOT_CONNECTED' })
    world.nodes.nodeOf.mockRejectedValueOnce(new NodeError('offline', 'x'))
    await world.run('resolve')
    expect(await world.read(id)).toMatchObject({ phase: 'resolving', lastFailure: 'NODE_OFFLINE' })
    world.connected.node = world.node
    resolvesTo(`bitcoin:?lno=${offerOf()}`)
    await world.run('resolve')
    await world.run('pay')
    expect(await world.read(id)).toMatchObject({ phase: 'succeeded' })
  })

  test('that is remembered is paid without resolving it again', async () => {
    vi.mocked(world.resolver.remembered).mockReturnValue(resolvedTo(`bitcoin:?lno=${offerOf()}`))
    const { id, phase } = await world.start({ to: 'alice@shop.test', amountMsat: '5' })
    expect(phase).toBe('sending')
    await world.run('pay')
    expect(await world.read(id)).toMatchObject({ phase: 'succeeded' })
    expect([...world.node.paid.values()]).toMatchObject([{ destination: { payee: 'alice@shop.test' } }])
    expect(world.resolver.resolve).not.toHaveBeenCalled()
    const entries = await world.entriesOf(id)
    expect(entries.map(({ kind }) => kind)).toEqual(['payment.request', 'payment.outcome'])
    const history = entries.map(({ data, at }) => ({
      command: decodeCommand(data.command as never),
      at: at.getTime(),
    }))
    expect(replayPayment(history)).toEqual(await world.read(id))
  })

  test('that is remembered with something that we cannot pay is resolved as ever', async () => {
    vi.mocked(world.resolver.remembered).mockReturnValue(resolvedTo('bitcoin:?sp=sp1qq'))
    resolvesTo(`bitcoin:?lno=${offerOf()}`)
    const { id } = await world.start({ to: 'alice@shop.test', amountMsat: '5' })
    await world.run('resolve')
    expect(await world.read(id)).toMatchObject({ phase: 'sending' })
  })

  test('that is resolved after the deadline is not paid', async () => {
    resolvesTo(`bitcoin:?lno=${offerOf()}`)
    const { id, deadlineAt } = await world.start({ to: 'alice@shop.test', amountMsat: '5' })
    const job = world.take('resolve')
    world.time.now = deadlineAt
    await world.perform(job)
    expect(await world.read(id)).toMatchObject({ phase: 'failed', cause: 'PAYMENT_EXPIRED' })
  })

  test('and a fault while resolving is no answer', async () => {
    vi.mocked(world.resolver.resolve).mockRejectedValue(new Error('a bug'))
    const { id } = await world.start({ to: 'alice@shop.test', amountMsat: '5' })
    await expect(world.run('resolve')).rejects.toThrow('a bug')
    expect((await world.read(id)).phase).toBe('resolving')
  })
})
