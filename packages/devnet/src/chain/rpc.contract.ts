import { beforeAll, describe, expect, test } from 'vitest'
import { Spender, testKey } from '../testing/spender.ts'
import { decodeBlock, regtestGenesis } from './block.ts'
import { payFromFaucet, prepareFaucet } from './faucet.ts'
import { type BitcoinRpc, makeBitcoinRpc } from './rpc-client.ts'
import { addressOf } from './rpc-views.ts'

const GENESIS = '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206'
const NO_SUCH_HASH = '11'.repeat(32)
const ADDRESS = addressOf(testKey('alice').script)!

type Failure = { readonly call: string; readonly status: number; readonly code: number }
const failing = (method: string, params: unknown, status: number, code: number): Failure => ({
  call: JSON.stringify({ method, params }),
  status,
  code,
})

const FAILURES: readonly Failure[] = [
  failing('nosuchmethod', [], 404, -32601),
  { call: '{bad', status: 500, code: -32700 },
  { call: '5', status: 500, code: -32700 },
  { call: '{"id":1}', status: 400, code: -32600 },
  { call: '{"method":5}', status: 400, code: -32600 },
  failing('getblockcount', 5, 400, -32600),
  failing('getblockcount', [1], 500, -1),
  failing('getblockhash', [], 500, -1),
  failing('getblockhash', ['a'], 500, -3),
  failing('getblockhash', [0.5], 500, -1),
  failing('getblockhash', [-1], 500, -8),
  failing('getblockhash', [1_000_000], 500, -8),
  failing('getblockhash', { heigh: 0 }, 500, -8),
  failing('getblock', ['00'], 500, -8),
  failing('getblock', ['zz'.repeat(32)], 500, -8),
  failing('getblock', [NO_SUCH_HASH], 500, -5),
  failing('getblockheader', [NO_SUCH_HASH], 500, -5),
  failing('getblockheader', [GENESIS, 1], 500, -3),
  failing('invalidateblock', [NO_SUCH_HASH], 500, -5),
  failing('reconsiderblock', [NO_SUCH_HASH], 500, -5),
  failing('getrawtransaction', [NO_SUCH_HASH], 500, -5),
  failing('getrawtransaction', [NO_SUCH_HASH, 0, GENESIS], 500, -5),
  failing('getrawtransaction', [NO_SUCH_HASH, 0, NO_SUCH_HASH], 500, -5),
  failing('getrawtransaction', [regtestGenesis().header.merkleRoot], 500, -5),
  failing('gettxout', [NO_SUCH_HASH, -1], 500, -1),
  failing('gettxout', [NO_SUCH_HASH, 0, 'yes'], 500, -3),
  failing('sendrawtransaction', ['00'], 500, -22),
  failing('sendrawtransaction', ['zz'], 500, -22),
  failing('sendrawtransaction', [''], 500, -22),
  failing('sendrawtransaction', [5], 500, -3),
  failing('sendrawtransaction', ['00', 2], 500, -8),
  failing('sendrawtransaction', ['00', 'abc'], 500, -3),
  failing('testmempoolaccept', [['00']], 500, -22),
  failing('testmempoolaccept', [[]], 500, -8),
  failing('testmempoolaccept', ['00'], 500, -3),
  failing('estimatesmartfee', [0], 500, -8),
  failing('estimatesmartfee', [1009], 500, -8),
  failing('setmocktime', [-1], 500, -8),
  failing('generatetoaddress', [1, 'nonsense'], 500, -5),
  failing('createwallet', ['holdfast'], 500, -4),
  failing('loadwallet', ['holdfast'], 500, -35),
  failing('loadwallet', ['other'], 500, -18),
  failing('getnewaddress', ['', 'nonsense'], 500, -5),
  failing('sendtoaddress', ['nonsense', 1], 500, -5),
  failing('sendtoaddress', [ADDRESS, 0], 500, -6),
  failing('sendtoaddress', [ADDRESS, 0.00000001], 500, -6),
  failing('sendtoaddress', [ADDRESS, -1], 500, -3),
  failing('sendtoaddress', [ADDRESS, 1e-9], 500, -3),
  failing('sendtoaddress', [ADDRESS, true], 500, -3),
  failing('sendtoaddress', [ADDRESS, 21_000_001], 500, -3),
  failing('sendtoaddress', [ADDRESS, 20_000_000], 500, -6),
]

/** What callers of bitcoind's JSON-RPC rely on; run against ours and against a real one, started empty. */
export function rpcContract(name: string, rpc: () => BitcoinRpc, url: () => string): void {
  describe(`${name}: JSON-RPC`, () => {
    beforeAll(async () => {
      await expect(rpc().getBalance()).rejects.toMatchObject({ code: -18 })
      await prepareFaucet(rpc())
    })

    async function post(
      body: string,
      options: { method?: string; path?: string; authorization?: string } = {},
    ) {
      const target = new URL(url())
      const credentials = Buffer.from(`${target.username}:${target.password}`).toString('base64')
      const { method = 'POST', path = '/', authorization = `Basic ${credentials}` } = options
      const response = await fetch(`http://${target.host}${path}`, {
        method,
        headers: { authorization },
        ...(method === 'GET' ? {} : { body }),
      })
      const text = await response.text()
      return { status: response.status, text, json: () => JSON.parse(text) }
    }

    test.each(FAILURES)('$call fails with HTTP $status and $code', async ({ call, status, code }) => {
      const answer = await post(call)
      expect(answer.json().error).toMatchObject({ code, message: expect.any(String) })
      expect(answer.status).toBe(status)
    })

    test('only the right user and password are let in, and only by POST', async () => {
      expect(await post('{}', { authorization: 'Basic bm90OnJpZ2h0' })).toMatchObject({
        status: 401,
        text: '',
      })
      expect(await post('{}', { authorization: 'nonsense' })).toMatchObject({ status: 401 })
      expect(await post('', { method: 'GET' })).toMatchObject({ status: 405 })
      expect(await post('{}', { path: '/elsewhere' })).toMatchObject({ status: 404 })
    })

    test('the two versions of JSON-RPC answer each in its form', async () => {
      const old = await post('{"method":"getblockhash","params":[0],"id":"a"}')
      expect(old.json()).toEqual({ result: GENESIS, error: null, id: 'a' })
      const modern = await post('{"jsonrpc":"2.0","method":"getblockhash","params":{"height":0},"id":1}')
      expect(modern.json()).toEqual({ jsonrpc: '2.0', result: GENESIS, id: 1 })
      const failed = await post('{"jsonrpc":"2.0","method":"nosuchmethod","id":1}')
      expect(failed).toMatchObject({ status: 200 })
      expect(failed.json()).toMatchObject({ jsonrpc: '2.0', error: { code: -32601 }, id: 1 })
      expect(await post('{"jsonrpc":"2.0","method":"getblockcount"}')).toMatchObject({
        status: 204,
        text: '',
      })
    })

    test('a batch is answered in order', async () => {
      const answer = await post(
        '[{"method":"getblockhash","params":[0],"id":7},{"method":"nosuchmethod","id":8},1]',
      )
      expect(answer.status).toBe(200)
      expect(answer.json()).toMatchObject([
        { result: GENESIS, id: 7 },
        { error: { code: -32601 }, id: 8 },
        { error: { code: -32600 } },
      ])
      expect((await post('[]')).json()).toEqual([])
      expect(await post('[{"jsonrpc":"2.0","method":"getblockcount"}]')).toMatchObject({ status: 204 })
    })

    test('a wallet is named by the address of the call', async () => {
      const named = makeBitcoinRpc(`${url()}/wallet/holdfast`)
      expect(await named.getBalance()).toBeGreaterThan(0n)
      await expect(makeBitcoinRpc(`${url()}/wallet/other`).getBalance()).rejects.toMatchObject({ code: -18 })
    })

    test('the genesis block is regtest’s', async () => {
      expect(await rpc().call('getblockhash', [0])).toBe(GENESIS)
      expect(await rpc().call('getblock', [GENESIS, 0])).toBe(regtestGenesis().bytes.toString('hex'))
      expect(await rpc().call('getblockheader', [GENESIS])).toMatchObject({
        height: 0,
        time: 1_296_688_602,
        bits: '207fffff',
        nonce: 2,
        difficulty: '4.656542373906925e-10',
        chainwork: '2'.padStart(64, '0'),
      })
    })

    test('a block says the same in every form', async () => {
      const hash = await rpc().getBestBlockHash()
      const height = await rpc().getBlockCount()
      const raw = (await rpc().call('getblock', [hash, 0])) as string
      const block = decodeBlock(Buffer.from(raw, 'hex'))
      expect(block.hash).toBe(hash)
      expect(await rpc().call('getblockheader', [hash, false])).toBe(raw.slice(0, 160))
      const verbose = await rpc().call('getblockheader', [hash])
      expect(verbose).toMatchObject({
        hash,
        height,
        confirmations: 1,
        version: block.header.version,
        versionHex: '20000000',
        merkleroot: block.header.merkleRoot,
        time: block.header.time,
        mediantime: expect.any(Number),
        previousblockhash: block.header.previousHash,
        chainwork: (2 * (height + 1)).toString(16).padStart(64, '0'),
        nTx: 1,
      })
      expect(verbose).not.toHaveProperty('nextblockhash')
      const { weight, ...sizes } = (await rpc().call('getblock', [hash, 1])) as Record<string, number>
      expect(sizes).toMatchObject({
        ...(verbose as object),
        size: raw.length / 2,
        tx: block.transactions.map((tx) => tx.txid),
      })
      expect(weight).toBe(sizes.strippedsize! * 3 + sizes.size!)
      expect(await rpc().call('getblockheader', [block.header.previousHash])).toMatchObject({
        nextblockhash: hash,
      })
      expect(await rpc().call('getblockchaininfo')).toMatchObject({
        chain: 'regtest',
        blocks: height,
        headers: height,
        bestblockhash: hash,
        initialblockdownload: false,
      })
    })

    test('the faucet pays exactly, and the receiver sees it', async () => {
      const spender = new Spender(rpc(), 'receiver')
      const [txid] = await payFromFaucet(rpc(), [{ address: spender.address, amountSat: 1_234_567n }], {
        confirmations: 0,
      })
      const before = (await rpc().call('getrawtransaction', [txid, 1])) as {
        vout: { value: string; n: number }[]
      }
      expect(before).not.toHaveProperty('confirmations')
      const { n } = before.vout.find(({ value }) => value === '0.01234567')!
      expect(await rpc().call('gettxout', [txid, n, false])).toBeNull()
      expect(await rpc().call('gettxout', [txid, n])).toMatchObject({
        confirmations: 0,
        value: '0.01234567',
        coinbase: false,
      })
      expect(await rpc().call('getmempoolinfo')).toMatchObject({ size: 1 })
      const [hash] = await rpc().generate(1)
      expect(await rpc().call('getrawtransaction', [txid, 1])).toMatchObject({
        txid,
        confirmations: 1,
        blockhash: hash,
      })
      expect(await rpc().call('getrawtransaction', [txid, 0, hash])).toMatch(/^02000000/)
      expect(await rpc().call('gettxout', [txid, n])).toMatchObject({
        bestblock: hash,
        confirmations: 1,
        scriptPubKey: {
          hex: Buffer.from(spender.key.script).toString('hex'),
          address: spender.address,
          type: 'witness_v0_keyhash',
        },
      })
      expect(await rpc().call('getmempoolinfo')).toMatchObject({ size: 0, bytes: 0 })
    })

    test('the faucet spends its own unconfirmed change, and knows its balance to the satoshi', async () => {
      const before = await rpc().getBalance()
      const payments = Array.from({ length: 5 }, () => ({ address: ADDRESS, amountSat: 100_000_000n }))
      const txids = await payFromFaucet(rpc(), payments, { confirmations: 0 })
      expect(new Set(txids).size).toBe(5)
      const spent = before - (await rpc().getBalance())
      expect(spent).toBeGreaterThan(500_000_000n)
      expect(spent).toBeLessThan(500_100_000n)
      await rpc().generate(1)
    })

    test('the receiver bears the fee when asked to', async () => {
      const txid = await rpc().call('sendtoaddress', [ADDRESS, '0.001', '', '', true])
      const { vout } = (await rpc().call('getrawtransaction', [txid, 1])) as { vout: { value: string }[] }
      const smallest = Math.min(...vout.map(({ value }) => Number(value)))
      expect(smallest).toBeLessThan(0.001)
      expect(smallest).toBeGreaterThan(0.0009)
    })

    test('a fee rate is obeyed', async () => {
      const txid = await rpc().call('sendtoaddress', [
        ADDRESS,
        0.001,
        '',
        '',
        false,
        true,
        null,
        'unset',
        null,
        5,
      ])
      const { vsize, vin, vout } = (await rpc().call('getrawtransaction', [txid, 1])) as {
        vsize: number
        vin: { txid: string; vout: number }[]
        vout: { value: string }[]
      }
      const inputs = await Promise.all(
        vin.map(async (input) => {
          const source = (await rpc().call('getrawtransaction', [input.txid, 1])) as {
            vout: { value: string }[]
          }
          return Number(source.vout[input.vout]!.value)
        }),
      )
      const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
      const fee = Math.round((sum(inputs) - sum(vout.map(({ value }) => Number(value)))) * 1e8)
      expect(fee / vsize).toBeGreaterThanOrEqual(5)
      expect(fee / vsize).toBeLessThan(5.2)
    })

    test('fees are not estimated from nothing', async () => {
      const estimate = await rpc().call('estimatesmartfee', [6])
      expect(estimate).toMatchObject({ errors: ['Insufficient data or no feerate found'] })
    })

    test('no block mines nothing, and times never stand still', async () => {
      expect(await rpc().call('generatetoaddress', [0, ADDRESS])).toEqual([])
      await rpc().generateToAddress(30, ADDRESS)
      const tip = (await rpc().call('getblockheader', [await rpc().getBestBlockHash()])) as Record<
        string,
        unknown
      >
      const parent = (await rpc().call('getblockheader', [tip.previousblockhash])) as Record<string, unknown>
      const time = tip.time as number
      expect(time).toBeGreaterThan(parent.mediantime as number)
      expect(Math.abs(time - Date.now() / 1000)).toBeLessThan(60)
    })
  })
}
