import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BitcoinRpcUnavailable } from '@holdfast/lightning/bitcoin-call'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FolderInUse } from '../folder-lock.ts'
import { type ChainOptions, type RunningChain, startChain } from './chain-server.ts'
import { CommandQueue } from './command-queue.ts'
import { payFromFaucet, prepareFaucet } from './faucet.ts'
import { startMiner } from './miner.ts'
import { makeBitcoinRpc, satoshi } from './rpc-client.ts'
import { MAX_BODY_BYTES } from './rpc-server.ts'

let folder: string
let running: RunningChain[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-chain-server-'))
  running = []
})
afterEach(async () => {
  for (const chain of running) await chain.stop()
  rmSync(folder, { recursive: true })
})

async function start(options: Partial<ChainOptions> = {}): Promise<RunningChain> {
  const chain = await startChain({ folder, ...options })
  running.push(chain)
  return chain
}

describe('starting', () => {
  test('the first start funds the faucet and mines on by itself', async () => {
    const chain = await start({ blockIntervalMs: 30 })
    const rpc = makeBitcoinRpc(chain.url)
    expect(await rpc.getBalance()).toBeGreaterThanOrEqual(5_000_000_000n)
    await expect.poll(() => rpc.getBlockCount()).toBeGreaterThan(123)
  })

  test('the second start goes on where the first stopped and mines no second treasure', async () => {
    const first = await start({ blockIntervalMs: 60_000 })
    const tip = await makeBitcoinRpc(first.url).getBestBlockHash()
    await first.stop()
    const second = await start({ blockIntervalMs: 60_000, rpcUser: 'me', rpcPassword: 'p:@/%' })
    expect(second.url).toContain('me:p%3A%40%2F%25@')
    expect(await makeBitcoinRpc(second.url).getBestBlockHash()).toBe(tip)
  })

  test('one folder has one chain at a time, by whatever name it is called', async () => {
    const chain = await start()
    const alias = `${folder}-alias`
    symlinkSync(folder, alias)
    await expect(startChain({ folder })).rejects.toThrow(FolderInUse)
    await expect(startChain({ folder: alias })).rejects.toThrow(FolderInUse)
    rmSync(alias)
    await chain.stop()
    await start()
  })

  test('a port that is taken is an error, and the folder is free again', async () => {
    const taken = createServer()
    taken.listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    await expect(startChain({ folder, port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    taken.close()
    await start({ port })
  })

  test('a folder that cannot be written is an error', async () => {
    mkdirSync(join(folder, 'chain.log'))
    await expect(startChain({ folder })).rejects.toMatchObject({ code: 'EISDIR' })
  })

  test('stopping does not wait for idle callers', async () => {
    const chain = await start()
    const { port } = new URL(chain.url)
    const socket = connect(Number(port), '127.0.0.1')
    await once(socket, 'connect')
    socket.on('error', () => undefined)
    await chain.stop()
    expect(socket.destroyed || (await once(socket, 'close'))).toBeTruthy()
  })
})

describe('callers that are wrong', () => {
  test('a body above the limit is not read to its end', async () => {
    const { url } = await start()
    const { host, username, password } = new URL(url)
    const answer = await fetch(`http://${host}/`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
      body: 'x'.repeat(MAX_BODY_BYTES + 1),
    })
    expect(answer.status).toBe(413)
  })

  test('a batch of too many calls is refused whole', async () => {
    const { url } = await start()
    const { host, username, password } = new URL(url)
    const answer = await fetch(`http://${host}/`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
      body: JSON.stringify(Array(1_001).fill({ method: 'getblockcount' })),
    })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { code: -32600 } })
  })

  test.each([
    ['generatetoaddress', [20_000, 'bcrt1qs2np875va6tx99dre7k62lx97jpw9p50l4v9hg'], -8],
    ['createwallet', ['second'], -4],
    ['getnewaddress', ['', 'legacy'], -5],
    ['testmempoolaccept', [['00', '00']], -8],
    ['testmempoolaccept', [[5]], -3],
    [
      'sendtoaddress',
      ['bcrt1qs2np875va6tx99dre7k62lx97jpw9p50l4v9hg', 1, '', '', false, true, null, 'unset', null, 0.1],
      -3,
    ],
    ['invalidateblock', ['0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206'], -8],
    ['setmocktime', [5_000_000_000], -8],
  ])('%s %j, which a bitcoind might do, is refused with %i', async (method, params, code) => {
    const rpc = makeBitcoinRpc((await start()).url)
    await prepareFaucet(rpc)
    await expect(rpc.call(method, params)).rejects.toMatchObject({ code, method })
  })

  test('a connection that is cut harms nobody and is nobody’s fault', async () => {
    const faults: unknown[] = []
    const chain = await start({ onFault: (fault) => faults.push(fault) })
    const { port, username, password } = new URL(chain.url)
    const authorization = Buffer.from(`${username}:${password}`).toString('base64')
    const socket = connect(Number(port), '127.0.0.1')
    await once(socket, 'connect')
    socket.write(
      `POST / HTTP/1.1\r\nhost: x\r\nauthorization: Basic ${authorization}\r\ncontent-length: 99\r\n\r\n{`,
    )
    await sleep(50)
    socket.destroy()
    await sleep(50)
    expect(await makeBitcoinRpc(chain.url).getBlockCount()).toBe(0)
    expect(faults).toEqual([])
  })
})

describe('the client', () => {
  let server: Server | null = null
  afterEach(() => {
    server?.closeAllConnections()
    server?.close()
    server = null
  })

  async function answering(answer: (() => string) | null): Promise<string> {
    server = createServer((_, response) => {
      if (answer !== null) response.end(answer())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://a:b@127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  test.each([
    ['no JSON', () => 'hello'],
    ['not of JSON-RPC', () => '[]'],
    ['of another call', () => '{"result":1,"error":null,"id":999}'],
  ])('an answer that is %s is no answer', async (_, answer) => {
    await expect(makeBitcoinRpc(await answering(answer)).getBlockCount()).rejects.toThrow(
      BitcoinRpcUnavailable,
    )
  })

  test.each([
    ['getBlockCount', '"1"'],
    ['getBestBlockHash', '1'],
    ['listWallets', '[1]'],
    ['getBalance', 'null'],
    ['getBalance', '0.000000001'],
  ] as const)('%s does not take %s', async (method, result) => {
    const rpc = makeBitcoinRpc(await answering(() => `{"result":${result},"error":null,"id":1}`))
    await expect(rpc[method]()).rejects.toThrow(TypeError)
  })

  test('amounts are exact where floats are not', async () => {
    const rpc = makeBitcoinRpc(await answering(() => '{"result":20999999.97690001,"error":null,"id":1}'))
    expect(await rpc.getBalance()).toBe(2_099_999_997_690_001n)
    expect(satoshi(3)).toBe(300_000_000n)
  })

  test('a server that is silent, absent or locked is unavailable', async () => {
    const silent = await answering(null)
    await expect(makeBitcoinRpc(silent, { timeoutMs: 50 }).getBlockCount()).rejects.toThrow(
      BitcoinRpcUnavailable,
    )
    await expect(makeBitcoinRpc('http://a:b@127.0.0.1:1').getBlockCount()).rejects.toThrow(
      BitcoinRpcUnavailable,
    )
    const { host } = new URL((await start()).url)
    await expect(makeBitcoinRpc(`http://no:body@${host}`).getBlockCount()).rejects.toThrow('wrong')
  })
})

describe('the miner and the faucet', () => {
  test('a block that failed is reported, and mining goes on', async () => {
    const rpc = makeBitcoinRpc((await start()).url)
    const faults: unknown[] = []
    const miner = startMiner(rpc, { intervalMs: 10, onFault: (fault) => faults.push(fault) })
    await expect.poll(() => faults.length).toBeGreaterThan(0)
    await prepareFaucet(rpc)
    await expect.poll(() => rpc.getBlockCount()).toBeGreaterThan(121)
    await miner.stop()
    const height = await rpc.getBlockCount()
    await sleep(50)
    expect(await rpc.getBlockCount()).toBe(height)
  })

  test('an interval of 0 mines nothing', async () => {
    const rpc = makeBitcoinRpc((await start()).url)
    const miner = startMiner(rpc, { intervalMs: 0 })
    await sleep(20)
    await miner.stop()
    expect(await rpc.getBlockCount()).toBe(0)
  })

  test('the faucet is prepared once, and pays what it has', async () => {
    const rpc = makeBitcoinRpc((await start()).url)
    await prepareFaucet(rpc)
    await prepareFaucet(rpc)
    expect(await rpc.getBlockCount()).toBe(121)
    const address = await rpc.getNewAddress()
    await payFromFaucet(rpc, [{ address, amountSat: 1_000_000n }], { confirmations: 3 })
    expect(await rpc.getBlockCount()).toBe(124)
    await expect(payFromFaucet(rpc, [{ address, amountSat: 10n ** 15n }])).rejects.toMatchObject({ code: -6 })
  })
})

describe('the queue of commands', () => {
  test('answers only after the flush, and shares one flush among all that wait', async () => {
    const flushes: PromiseWithResolvers<void>[] = []
    const queue = new CommandQueue(() => {
      const flush = Promise.withResolvers<void>()
      flushes.push(flush)
      return flush.promise
    })
    const answered: number[] = []
    const ask = (n: number) => queue.run(() => n).then((answer) => answered.push(answer))
    const all = [ask(1), ask(2), ask(3)]
    await sleep(5)
    expect(answered).toEqual([])
    flushes[0]!.resolve()
    await sleep(5)
    expect(answered).toEqual([1])
    flushes[1]!.resolve()
    await Promise.all(all)
    await queue.settled()
    expect(flushes).toHaveLength(2)
  })

  test('after a flush that failed nothing is answered any more', async () => {
    const queue = new CommandQueue(() => Promise.reject(new Error('the disk is full')))
    await expect(queue.run(() => 1)).rejects.toThrow('the disk is full')
    await expect(queue.run(() => 2)).rejects.toThrow('could not be written')
  })

  test('a command that throws fails alone', async () => {
    const queue = new CommandQueue(() => Promise.resolve())
    const broken = queue.run(() => {
      throw new Error('mine')
    })
    await expect(broken).rejects.toThrow('mine')
    expect(await queue.run(() => 2)).toBe(2)
  })
})

test('a disk that has no room keeps the chain as it was', { timeout: 30_000 }, async () => {
  // A limit on the size of files is a full disk for one process.
  const script = `
    process.on('SIGXFSZ', () => undefined)
    const { Regtest } = await import(${JSON.stringify(new URL('./regtest.ts', import.meta.url).href)})
    const regtest = Regtest.open(${JSON.stringify(folder)})
    let height = 0
    try { for (;;) { regtest.mine(Buffer.alloc(22)); height++ } } catch (error) { console.log(error.code, height, regtest.chain.tip.height) }
  `
  const limited = spawnSync(
    'sh',
    ['-c', `ulimit -f 64; exec "${process.execPath}" --input-type=module -e "$0"`, script],
    {
      encoding: 'utf8',
    },
  )
  expect(limited.stderr).toBe('')
  const [code, mined, height] = limited.stdout.trim().split(' ')
  expect(code).toBe('EFBIG')
  expect(height).toBe(mined)
  const rpc = makeBitcoinRpc((await start()).url)
  expect(String(await rpc.getBlockCount())).toBe(mined)
})
