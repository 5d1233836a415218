import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  bolt11,
  bolt12,
  type FullNode,
  isTrue,
  outcomeOf,
  payRequest,
} from '@holdfast/lightning/contract/contract-world'
import { type LdkHost, type LdkNode, startLdkHost } from '@holdfast/lightning/ldk'
import { startInProcess } from '@holdfast/lightning/ldk/testing/in-process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startChain } from '../chain/chain-server.ts'
import { prepareFaucet } from '../chain/faucet.ts'
import { type BitcoinRpc, makeBitcoinRpc } from '../chain/rpc-client.ts'

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** Two hosts share neither a graph nor the moment at which they hear of a block. */
describe('nodes of two hosts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-gossip-'))
  let chain: Awaited<ReturnType<typeof startChain>>
  let rpc: BitcoinRpc
  const hosts: LdkHost[] = []
  let here: LdkNode
  let there: LdkNode

  const open = async (
    name: string,
    shop: number,
    acceptInboundChannelsFrom: 'anyone' | 'nobody' = 'anyone',
  ) => {
    const host = hosts[shop] as LdkHost
    const seed = createHash('sha256').update(name).digest()
    const listen = { host: '127.0.0.1', port: 0 }
    return host.openNode({ folder: join(folder, name), seed, alias: name, listen, acceptInboundChannelsFrom })
  }
  const connect = (from: LdkNode, to: LdkNode) =>
    from.connect(to.nodeId, to.listening?.host ?? '', to.listening?.port ?? 0)

  beforeAll(async () => {
    chain = await startChain({ folder: join(folder, 'chain') })
    rpc = makeBitcoinRpc(chain.url)
    await prepareFaucet(rpc)
    for (const name of ['one', 'two'])
      hosts.push(
        await startLdkHost(
          {
            ...{ network: 'regtest', bitcoind: { url: chain.url }, log: silent },
            graphFile: join(folder, `${name}.graph`),
            // Blocks are heard of only by `sync`.
            pollMs: 3_600_000,
          },
          startInProcess,
        ),
      )
    here = await open('here', 0)
    there = await open('there', 1)
  })
  afterAll(async () => {
    for (const host of hosts) await host.stop()
    await chain.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test('a public channel is announced although one side heard of the sixth confirmation first', async () => {
    await rpc.sendToAddress(await here.newAddress(), 5_000_000n)
    await rpc.generate(1)
    await here.sync()
    await connect(here, there)
    await here.openChannel({ peer: there.nodeId, amountSat: 2_000_000n, announce: true })
    for (let block = 1; block <= 6; block++) {
      await rpc.generate(1)
      await here.sync()
      await new Promise((resolve) => setTimeout(resolve, 100))
      await there.sync()
    }
    await isTrue('the channel is ready', async () =>
      (await there.listChannels()).some((channel) => channel.usable),
    )
    const scid = (await here.listChannels())[0]?.shortChannelId ?? 0n
    for (const node of [here, there]) await isTrue('the graph has the channel', () => node.knowsChannel(scid))
  })

  test('a balance below the channel reserve is still told to the msat', async () => {
    expect((await there.funds.balance()).lightningMsat).toBe(0n)
    const { invoice } = await there.invoices.create({
      amountMsat: 7_001n,
      description: 'x',
      expirySeconds: 60,
    })
    const request = payRequest(bolt11(invoice), 7_001n)
    await here.payer.pay(request)
    await outcomeOf(here as FullNode, request.paymentId)
    await isTrue('it arrived', async () => (await there.funds.balance()).lightningMsat === 7_001n)
  })

  test('invoices and offers are paid from one host to the other', async () => {
    const { invoice } = await there.invoices.create({
      amountMsat: 400_000_000n,
      description: 'x',
      expirySeconds: 60,
    })
    const first = payRequest(bolt11(invoice), 400_000_000n)
    await here.payer.pay(first)
    expect(await outcomeOf(here as FullNode, first.paymentId)).toMatchObject({ state: 'succeeded' })
    const { offer } = await there.offers.create({ offerId: 'o', amountMsat: 5_000n, description: 'x' })
    const second = payRequest(bolt12(offer), 5_000n)
    await here.payer.pay(second)
    expect(await outcomeOf(here as FullNode, second.paymentId)).toMatchObject({ state: 'succeeded' })
  })

  test('a node that takes no channels refuses one, and the opener is told', async () => {
    const closed = await open('closed', 1, 'nobody')
    await connect(here, closed)
    await here.sync()
    const opening = here.openChannel({ peer: closed.nodeId, amountSat: 100_000n })
    await expect(opening).rejects.toMatchObject({ code: 'invalid' })
  })

  test('the graph is saved when a host stops, and one that cannot be read is learnt again', async () => {
    await hosts.shift()?.stop()
    const graphFile = join(folder, 'one.graph')
    expect(readFileSync(graphFile).length).toBeGreaterThan(100)
    const logged: string[] = []
    const log = { ...silent, warn: (message: string) => logged.push(message) }
    const bitcoind = { url: chain.url }
    const start = () =>
      startLdkHost({ network: 'regtest', bitcoind, log, graphFile, pollMs: 3_600_000 }, startInProcess)
    const [, scid] = [await there.sync(), (await there.listChannels())[0]?.shortChannelId ?? 0n]

    hosts.unshift(await start())
    here = await open('here', 0)
    expect(await here.knowsChannel(scid)).toBe(true)
    await hosts.shift()?.stop()

    writeFileSync(graphFile, 'not a graph')
    hosts.unshift(await start())
    expect(logged.some((line) => line.includes('cannot be read'))).toBe(true)
    here = await open('here', 0)
    expect(await here.knowsChannel(scid)).toBe(false)
    await connect(here, there)
    await isTrue('the graph is learnt from the peer', () => here.knowsChannel(scid))
  })
})
