import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeError } from '@holdfast/lightning'
import { bolt11, payRequest } from '@holdfast/lightning/contract/contract-world'
import { startLdkHost } from '@holdfast/lightning/ldk'
import { decodeInvoice } from '@holdfast/protocols/bolt11'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startChain } from '../chain/chain-server.ts'
import { prepareFaucet } from '../chain/faucet.ts'
import { makeBitcoinRpc } from '../chain/rpc-client.ts'
import { CHANNEL_SAT, openMissingChannels } from './channels.ts'
import { openDevice } from './device.ts'
import { startWorld, type World } from './world.ts'

const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const folder = mkdtempSync(join(tmpdir(), 'holdfast-world-'))
const start = () => startWorld({ folder, blockIntervalMs: 0, users: ['alice', 'bob'], log })
let world: World | undefined
let devices: { url: string; token: string }

const look = async (path: string, token: string | null = devices.token) => {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` }
  const answer = await fetch(`${devices.url}${path}`, { headers })
  return { status: answer.status, body: await answer.json() }
}

/** What a start leaves that was killed after the hub had broadcast its channel with the operator. */
async function openOneChannelAndCrash(): Promise<void> {
  const chain = await startChain({ folder: join(folder, 'chain') })
  const rpc = makeBitcoinRpc(chain.url)
  await prepareFaucet(rpc)
  const host = await startLdkHost({ network: 'regtest', bitcoind: { url: chain.url }, log })
  const open = (name: string) => {
    const device = openDevice(join(folder, 'devices', name), name)
    const listen = { host: '127.0.0.1', port: 0 }
    const node = join(device.folder, 'node')
    return host.openNode({ folder: node, seed: device.seed, alias: name, listen, keepProofs: false })
  }
  const [hub, operator] = [await open('hub'), await open('operator')]
  const generate = async (blocks: number) => {
    if ((await hub.listChannels()).length > 0) throw new Error('killed before the first block')
    return rpc.generate(blocks)
  }
  // A busy machine: the first peer does not answer in time.
  let isBusy = true
  const connect: typeof hub.connect = async (...peer) => {
    if (!isBusy) return hub.connect(...peer)
    isBusy = false
    throw new NodeError('offline', 'The peer does not answer.')
  }
  await expect(
    openMissingChannels(
      { ...rpc, generate },
      { ...hub, connect },
      [{ node: operator, announce: true }],
      () => [],
    ),
  ).rejects.toThrow('killed before the first block')
  expect((await hub.listChannels()).map(({ confirmations }) => confirmations)).toEqual([0])
  await host.stop()
  await chain.stop()
}

beforeAll(async () => {
  await openOneChannelAndCrash()
  world = await start()
  devices = JSON.parse(readFileSync(join(folder, 'devices.json'), 'utf8'))
})
afterAll(async () => {
  await world?.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('a world that starts where a start was killed between opening and confirming channels', () => {
  test('gives everybody one usable channel with the hub', async () => {
    const { hub, operator, users } = world!
    const channels = await hub.listChannels()
    const peers = [operator, ...[...users.values()].map(({ node }) => node)].map(({ nodeId }) => nodeId)
    expect(channels.map(({ peer }) => peer).sort()).toEqual(peers.sort())
    expect(channels.every(({ usable }) => usable)).toBe(true)
  })

  test('finds a node by the Nostr key of its user, and nobody else’s', () => {
    const alice = world!.users.get('alice')!
    expect(world!.nodeOf(alice.device.pubkey)).toBe(alice.node)
    expect(world!.nodeOf('00'.repeat(32))).toBeNull()
  })

  test('is refused to a second process', async () => {
    await expect(start()).rejects.toThrow('The devnet could not be started.')
  })
})

describe('the devices', () => {
  test.each([null, '', 'wrong', '0'.repeat(48)])('tell nothing to who has the token %j', async (token) => {
    expect(await look('/devices', token)).toEqual({ status: 401, body: null })
  })

  test('keep their token from others', () => {
    expect(statSync(join(folder, 'devices.json')).mode & 0o777).toBe(0o600)
  })

  test('are listed, without a secret', async () => {
    const { body } = await look('/devices')
    expect(body.map(({ name }: { name: string }) => name)).toEqual(['alice', 'bob'])
    expect(Object.keys(body[0]).sort()).toEqual(['folder', 'name', 'nodeId', 'pubkey'])
  })

  test.each(['/', '/other', '/devices/eve/balance', '/devices/alice', '/devices/alice/seed'])(
    'do not know %s',
    async (path) => {
      expect(await look(path)).toEqual({ status: 404, body: null })
    },
  )

  test.each(['no-id', '00'.repeat(32), '00'.repeat(33)])('have no proof of the payment %s', async (id) => {
    expect(await look(`/devices/alice/proofs/${id}`)).toEqual({ status: 404, body: null })
  })

  test('make invoices, on a secret of the wallet or on a hash of the user’s own', async () => {
    const make = async (wish: object | string, token = devices.token) => {
      const body = typeof wish === 'string' ? wish : JSON.stringify(wish)
      const request = { method: 'POST', headers: { authorization: `Bearer ${token}` }, body }
      const answer = await fetch(`${devices.url}/devices/alice/invoices`, request)
      return { status: answer.status, body: await answer.json() }
    }
    const wish = { amountMsat: '5000000', description: 'oranges', expirySeconds: 1_209_600 }
    const made = await make(wish)
    expect(made.status).toBe(200)
    const ordinary = decodeInvoice(made.body.invoice)
    expect(ordinary).toMatchObject({ amountMsat: 5_000_000n, paymentHash: made.body.paymentHash })
    expect(ordinary.expiresAt - ordinary.createdAt).toBe(1_209_600_000)
    const paymentHash = 'ab'.repeat(32)
    const { body } = await make({ ...wish, paymentHash })
    expect(decodeInvoice(body.invoice)).toMatchObject({ paymentHash, amountMsat: 5_000_000n })
    expect(await make(wish, 'wrong')).toEqual({ status: 401, body: null })
    for (const wrong of [
      'no JSON',
      'null',
      { ...wish, amountMsat: '0' },
      { ...wish, description: undefined },
      { ...wish, description: 'x'.repeat(700) },
      { ...wish, expirySeconds: '60' },
      { ...wish, paymentHash: 'ab' },
    ]) {
      expect((await make(wrong)).status, JSON.stringify(wrong).slice(0, 80)).toBe(400)
    }
  })

  test('show balances and the proof of a payment, on the payer’s device alone', async () => {
    const [alice, bob] = ['alice', 'bob'].map((name) => world!.users.get(name)!.node)
    const { body: before } = await look('/devices/bob/balance')
    expect(BigInt(before.lightningMsat)).toBeGreaterThan((CHANNEL_SAT * 1000n) / 3n)
    const amountMsat = 5_000_000n
    const { invoice, paymentHash } = await bob!.invoices.create({
      amountMsat,
      description: 'x',
      expirySeconds: 600,
    })
    const request = payRequest(bolt11(invoice), amountMsat)
    await alice!.payer.pay(request)
    await expect.poll(async () => (await alice!.payer.lookup(request.paymentId))?.state).toBe('succeeded')
    expect((await look(`/devices/alice/proofs/${request.paymentId}`)).body).toEqual({
      paymentHash,
      preimage: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect((await look(`/devices/bob/proofs/${request.paymentId}`)).status).toBe(404)
    await expect
      .poll(async () => BigInt((await look('/devices/bob/balance')).body.lightningMsat))
      .toBe(BigInt(before.lightningMsat) + amountMsat)
  })
})

test('stopped, the rest also when one part does not end well, and started again it has the same nodes, channels and money', async () => {
  const before = await look('/devices/bob/balance')
  const ids = [...world!.users.values()].map(({ node }) => node.nodeId)
  const { host } = world!
  const stopHost = host.stop.bind(host)
  host.stop = async () => {
    await stopHost()
    throw new Error('the host did not end well')
  }
  await expect(world!.stop()).rejects.toThrow('the host did not end well')
  await world!.stop()
  world = await start()
  devices = JSON.parse(readFileSync(join(folder, 'devices.json'), 'utf8'))
  expect([...world.users.values()].map(({ node }) => node.nodeId)).toEqual(ids)
  expect(await world.hub.listChannels()).toHaveLength(3)
  expect(await look('/devices/bob/balance')).toEqual(before)
})

test('started again without the network graph, which a kill -9 may leave unwritten, routes lead to the operator at once', async () => {
  await world!.stop()
  rmSync(join(folder, 'network-graph'))
  world = await start()
  devices = JSON.parse(readFileSync(join(folder, 'devices.json'), 'utf8'))
  const { operator, users } = world
  const amountMsat = 1_000_000n
  const { invoice } = await operator.invoices.create({ amountMsat, description: 'x', expirySeconds: 600 })
  const request = payRequest(bolt11(invoice), amountMsat)
  const { payer } = users.get('alice')!.node
  await payer.pay(request)
  await expect.poll(async () => (await payer.lookup(request.paymentId))?.state).toBe('succeeded')
})

test('a user whose node’s file cannot be read is offline, and everybody else is there', async () => {
  const file = join(folder, 'devices', 'bob', 'node', 'node.sqlite')
  await world!.stop()
  const whole = readFileSync(file)
  writeFileSync(file, Buffer.concat([Buffer.alloc(100, 'x'), whole.subarray(100)]))
  world = await start()
  devices = JSON.parse(readFileSync(join(folder, 'devices.json'), 'utf8'))
  const bob = world.users.get('bob')!
  expect(world.host.faults()).toMatchObject([{ nodeId: bob.node.nodeId }])
  const balance = world.nodeOf(bob.device.pubkey)!.funds!.balance()
  await expect(balance).rejects.toMatchObject({ code: 'offline' })
  expect((await look('/devices/bob/balance')).status).toBe(503)
  expect((await look('/devices/alice/balance')).status).toBe(200)
  writeFileSync(file, whole)
  await expect.poll(() => world!.host.faults(), { timeout: 30_000 }).toEqual([])
  await expect.poll(async () => (await look('/devices/bob/balance')).status).toBe(200)
})
