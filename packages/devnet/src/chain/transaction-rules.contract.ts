import { beforeAll, describe, expect, test } from 'vitest'
import { REFUSED_TRANSACTIONS, spend, toAlice } from '../testing/refused-transactions.ts'
import { payToTaprootKey, Spender, testKey } from '../testing/spender.ts'
import type { BitcoinRpc } from './rpc-client.ts'
import type { Transaction } from './transaction.ts'

const alice = testKey('alice')
const HOUR = 3_600

/** How a chain must judge transactions; run against ours and a real bitcoind. `rpc` starts on an empty chain. */
export function transactionRulesContract(name: string, rpc: () => BitcoinRpc): void {
  describe(`${name}: transactions`, () => {
    let spender: Spender
    const hexOf = (tx: Transaction) => tx.bytes.toString('hex')
    const mempool = async () => (await rpc().call('getrawmempool')) as string[]
    const testAccept = async (tx: Transaction) => {
      const [answer] = (await rpc().call('testmempoolaccept', [[hexOf(tx)]])) as Record<string, unknown>[]
      return answer
    }

    beforeAll(async () => {
      spender = new Spender(rpc())
      await spender.mineCoins(REFUSED_TRANSACTIONS.length + 40)
    })

    test.each(REFUSED_TRANSACTIONS)('refused: $rule', async ({ make, code, reason }) => {
      const tx = await make(spender)
      await expect(spender.send(tx)).rejects.toMatchObject({ code, message: expect.stringContaining(reason) })
      expect(await mempool()).not.toContain(tx.txid)
    })

    test('a spent coin cannot be spent again, and what confirmed is said to be in the chain', async () => {
      const coin = spender.takeCoin()
      const first = spender.build([coin], toAlice(coin.value))
      await spender.send(first)
      await spender.mine(1)
      const second = spender.build([coin], [{ value: coin.value - 9_000n, script: alice.script }])
      await expect(spender.send(second)).rejects.toMatchObject({ code: -25 })
      await expect(spender.send(first)).rejects.toMatchObject({ code: -27 })
    })

    test('a coinbase is spent at depth 100 and not before', async () => {
      const [hash] = await rpc().generateToAddress(1, spender.address)
      const { tx } = (await rpc().call('getblock', [hash, 1])) as { tx: [string] }
      const value = (await blockReward(tx[0])) ?? 0n
      const coin = { txid: tx[0], vout: 0, value, script: spender.key.script }
      const spending = spender.build([coin], toAlice(value))
      await spender.mine(98)
      await expect(spender.send(spending)).rejects.toMatchObject({
        code: -26,
        message: expect.stringContaining(
          'bad-txns-premature-spend-of-coinbase, tried to spend coinbase at depth 99',
        ),
      })
      await spender.mine(1)
      expect(await spender.send(spending)).toBe(spending.txid)
    })

    async function blockReward(txid: string): Promise<bigint | null> {
      const output = (await rpc().call('gettxout', [txid, 0])) as { value: string } | null
      return output === null ? null : BigInt(Math.round(Number(output.value) * 1e8))
    }

    test('sent twice is sent once', async () => {
      const tx = spend(spender, toAlice)
      expect(await spender.send(tx)).toBe(tx.txid)
      expect(await spender.send(tx)).toBe(tx.txid)
      expect((await mempool()).filter((txid) => txid === tx.txid)).toHaveLength(1)
    })

    test('a rival is taken only when it pays more, and then replaces the other with its children', async () => {
      const coin = spender.takeCoin()
      const pay = (fee: bigint) =>
        spender.build([coin], [{ value: coin.value - fee, script: spender.key.script }])
      const first = pay(1_000n)
      const change = { txid: first.txid, vout: 0, ...first.outputs[0]! }
      const child = spender.build([change], [{ value: change.value - 2_000n, script: alice.script }])
      await spender.send(first)
      await spender.send(child)
      const insufficient = { code: -26, message: expect.stringContaining('insufficient fee') }
      await expect(spender.send(pay(999n))).rejects.toMatchObject(insufficient)
      await expect(spender.send(pay(2_500n))).rejects.toMatchObject(insufficient)
      await expect(spender.send(pay(3_050n))).rejects.toMatchObject(insufficient)
      const winner = pay(4_000n)
      await spender.send(winner)
      const left = await mempool()
      expect(left).toContain(winner.txid)
      expect(left).not.toContain(first.txid)
      expect(left).not.toContain(child.txid)
    })

    test('a replacement may not spend what it replaces', async () => {
      const coin = spender.takeCoin()
      const first = spender.build([coin], [{ value: coin.value - 1_000n, script: spender.key.script }])
      await spender.send(first)
      const change = { txid: first.txid, vout: 0, ...first.outputs[0]! }
      const rival = spender.build([coin, change], [{ value: coin.value, script: alice.script }])
      await expect(rpc().call('sendrawtransaction', [hexOf(rival), 0])).rejects.toMatchObject({
        code: -26,
        message: expect.stringContaining('bad-txns-spends-conflicting-tx'),
      })
    })

    test('twenty-five unconfirmed in a row are taken, one more is not', async () => {
      let coin = spender.takeCoin()
      for (let i = 0; i < 26; i++) {
        const tx = spender.build([coin], [{ value: coin.value - 1_000n, script: spender.key.script }])
        if (i < 25) await spender.send(tx)
        else {
          await expect(spender.send(tx)).rejects.toMatchObject({
            code: -26,
            message: expect.stringContaining('too-long-mempool-chain'),
          })
        }
        coin = { txid: tx.txid, vout: 0, ...tx.outputs[0]! }
      }
      await spender.mine(1)
    })

    test.each([0, 1, 2, 3, 0x81, 0x82, 0x83])(
      'a Taproot output opens for its key, sighash type %i',
      async (type) => {
        const coin = await spender.lock(payToTaprootKey(alice))
        const outputs = [{ value: coin.value - 1_000n, script: alice.script }]
        const forged = spender.build(
          [{ ...coin, witness: () => [new Uint8Array(type === 0 ? 64 : 65).fill(1)] }],
          outputs,
        )
        await expect(spender.send(forged)).rejects.toMatchObject({ code: -26 })
        const tx = spender.build([{ ...coin, witness: (_, sign) => [sign(alice, type)] }], outputs)
        expect(await spender.send(tx)).toBe(tx.txid)
      },
    )

    test('a lock time that has passed is final, a final sequence needs none', async () => {
      const height = await rpc().getBlockCount()
      const passed = spend(spender, toAlice, {}, { lockTime: height })
      expect(await spender.send(passed)).toBe(passed.txid)
      const next = spend(spender, toAlice, {}, { lockTime: height + 1 })
      await expect(spender.send(next)).rejects.toMatchObject({
        code: -26,
        message: expect.stringContaining('non-final'),
      })
      const waived = spend(spender, toAlice, { sequence: 0xffff_ffff }, { lockTime: height + 1_000 })
      expect(await spender.send(waived)).toBe(waived.txid)
    })

    test('a relative lock of time opens when the median time has moved', async () => {
      const coin = await spender.lock(spender.key.script)
      const tx = spender.build([{ ...coin, sequence: 0x0040_0000 | 2 }], toAlice(coin.value))
      await expect(spender.send(tx)).rejects.toMatchObject({ code: -26 })
      await rpc().call('setmocktime', [Math.floor(Date.now() / 1000) + HOUR])
      try {
        await spender.mine(11)
        expect(await spender.send(tx)).toBe(tx.txid)
      } finally {
        await rpc().call('setmocktime', [0])
      }
    })

    test('testmempoolaccept judges without sending', async () => {
      const good = spend(spender, toAlice)
      expect(await testAccept(good)).toMatchObject({
        txid: good.txid,
        wtxid: good.wtxid,
        allowed: true,
        vsize: good.vsize,
      })
      expect(await mempool()).not.toContain(good.txid)
      const lost = spend(spender, toAlice, { txid: '22'.repeat(32) })
      expect(await testAccept(lost)).toMatchObject({ allowed: false, 'reject-reason': 'missing-inputs' })
    })

    test('a reorganisation takes transactions back into the mempool, and a longer branch wins', async () => {
      const tx = spend(spender, toAlice)
      await spender.send(tx)
      const [mined] = await spender.mine(1)
      expect(await mempool()).not.toContain(tx.txid)
      await rpc().call('invalidateblock', [mined])
      expect(await mempool()).toContain(tx.txid)
      expect(await rpc().call('getblockheader', [mined])).toMatchObject({ confirmations: -1 })
      // To another address: bitcoind would mine the very block that it was told to reject.
      const [, tip] = await rpc().generateToAddress(2, spender.address)
      expect(await mempool()).not.toContain(tx.txid)
      await rpc().call('reconsiderblock', [mined])
      expect(await rpc().getBestBlockHash()).toBe(tip)
    })

    test('a coinbase that a reorganisation made immature takes its spender out of the mempool', async () => {
      const [hash] = await rpc().generateToAddress(1, spender.address)
      await spender.mine(99)
      const { tx } = (await rpc().call('getblock', [hash, 1])) as { tx: [string] }
      const value = (await blockReward(tx[0]))!
      const spending = spender.build(
        [{ txid: tx[0], vout: 0, value, script: spender.key.script }],
        toAlice(value),
      )
      await spender.send(spending)
      await rpc().call('invalidateblock', [await rpc().getBestBlockHash()])
      expect(await mempool()).not.toContain(spending.txid)
    })
  })
}
