import { beforeAll, describe, expect, test } from 'vitest'
import { payToTaprootKey, payToWitnessScript, Spender, type TestInput, testKey } from '../testing/spender.ts'
import type { BitcoinRpc } from './rpc-client.ts'
import { payToKeyHash } from './script/verify-input.ts'
import { finishTransaction, type Transaction, type TxOutput } from './transaction.ts'

const alice = testKey('alice')
const NOTHING = new Uint8Array()
const HOUR = 3_600

type Refused = {
  readonly rule: string
  make(spender: Spender): Transaction | Promise<Transaction>
  readonly code: number
  readonly reason: string
}

/** One transaction from a fresh coin, with these outputs, all of the rest as fee. */
function spend(
  spender: Spender,
  outputs: (value: bigint) => TxOutput[],
  input: Partial<TestInput> = {},
  body = {},
) {
  const coin = spender.takeCoin()
  return spender.build([{ ...coin, ...input }], outputs(coin.value), body)
}

const toAlice = (value: bigint): TxOutput[] => [{ value: value - 1_000n, script: alice.script }]
const paying =
  (output: Partial<TxOutput>) =>
  (value: bigint): TxOutput[] => [...toAlice(value), { value: 0n, script: alice.script, ...output }]

const REFUSED: readonly Refused[] = [
  {
    rule: 'an input that does not exist',
    make: (s) => spend(s, toAlice, { txid: '11'.repeat(32) }),
    code: -25,
    reason: 'bad-txns-inputs-missingorspent',
  },
  {
    rule: 'an output index that does not exist',
    make: (s) => spend(s, toAlice, { vout: 7 }),
    code: -25,
    reason: 'bad-txns-inputs-missingorspent',
  },
  {
    rule: 'more out than in',
    make: (s) => spend(s, (value) => [{ value: value + 1n, script: alice.script }]),
    code: -26,
    reason: 'bad-txns-in-belowout',
  },
  {
    rule: 'a fee below the relay minimum',
    make: (s) => spend(s, (value) => [{ value: value - 50n, script: alice.script }]),
    code: -26,
    reason: 'min relay fee not met',
  },
  {
    rule: 'a fee that must be a mistake',
    make: (s) => spend(s, (value) => [{ value: value - 10_000_000n, script: alice.script }]),
    code: -25,
    reason: 'Fee exceeds maximum configured by user',
  },
  { rule: 'dust', make: (s) => spend(s, paying({ value: 293n })), code: -26, reason: 'dust' },
  {
    rule: 'dust in a P2WSH output',
    make: (s) => spend(s, paying({ value: 329n, script: payToWitnessScript(NOTHING) })),
    code: -26,
    reason: 'dust',
  },
  {
    rule: 'a script that is not standard',
    make: (s) => spend(s, paying({ value: 10_000n, script: Uint8Array.of(0x51) })),
    code: -26,
    reason: 'scriptpubkey',
  },
  {
    rule: 'value burned in an OP_RETURN output',
    make: (s) => spend(s, paying({ value: 600n, script: Uint8Array.of(0x6a, 1, 7) })),
    code: -25,
    reason: 'Unspendable output exceeds maximum configured by user (maxburnamount)',
  },
  { rule: 'version 0', make: (s) => spend(s, toAlice, {}, { version: 0 }), code: -26, reason: 'version' },
  { rule: 'version 4', make: (s) => spend(s, toAlice, {}, { version: 4 }), code: -26, reason: 'version' },
  {
    rule: 'one coin spent twice in one transaction',
    make(s) {
      const coin = s.takeCoin()
      return s.build([coin, coin], [{ value: 2n * coin.value - 1_000n, script: alice.script }])
    },
    code: -26,
    reason: 'bad-txns-inputs-duplicate',
  },
  { rule: 'no outputs', make: (s) => spend(s, () => []), code: -26, reason: 'bad-txns-vout-empty' },
  {
    rule: 'a negative output',
    make: (s) => spend(s, () => [{ value: -1n, script: alice.script }], { witness: () => [] }),
    code: -26,
    reason: 'bad-txns-vout-negative',
  },
  {
    rule: 'an output above the supply',
    make: (s) => spend(s, () => [{ value: 2_100_000_000_000_001n, script: alice.script }]),
    code: -26,
    reason: 'bad-txns-vout-toolarge',
  },
  {
    rule: 'outputs above the supply together',
    make: (s) => spend(s, () => Array(2).fill({ value: 2_000_000_000_000_000n, script: alice.script })),
    code: -26,
    reason: 'bad-txns-txouttotal-toolarge',
  },
  {
    rule: 'a coinbase that is no block',
    make: () =>
      finishTransaction({
        version: 2,
        lockTime: 0,
        inputs: [
          {
            txid: '00'.repeat(32),
            vout: 0xffff_ffff,
            scriptSig: Uint8Array.of(1, 1),
            sequence: 0,
            witness: [],
          },
        ],
        outputs: [{ value: 1_000n, script: alice.script }],
      }),
    code: -26,
    reason: 'coinbase',
  },
  {
    rule: 'a lock time at a height not yet reached',
    make: (s) => spend(s, toAlice, {}, { lockTime: 100_000 }),
    code: -26,
    reason: 'non-final',
  },
  {
    rule: 'a lock time that the median time has not reached',
    make: (s) => spend(s, toAlice, {}, { lockTime: Math.floor(Date.now() / 1000) + 24 * HOUR }),
    code: -26,
    reason: 'non-final',
  },
  {
    rule: 'a relative lock of blocks not yet passed',
    make: (s) => spend(s, toAlice, { sequence: 60_000 }),
    code: -26,
    reason: 'non-BIP68-final',
  },
  {
    rule: 'a relative lock of time not yet passed',
    make: (s) => spend(s, toAlice, { sequence: 0x0040_0000 | 5_000 }),
    code: -26,
    reason: 'non-BIP68-final',
  },
  {
    rule: 'a signature by another key',
    make: (s) =>
      spend(s, toAlice, {
        witness: (sign) => [sign(alice, payToKeyHash(s.key.script.subarray(2))), s.key.publicKey],
      }),
    code: -26,
    reason: 'script-verify-flag',
  },
  {
    rule: 'another public key',
    make: (s) =>
      spend(s, toAlice, {
        witness: (sign) => [sign(alice, payToKeyHash(s.key.script.subarray(2))), alice.publicKey],
      }),
    code: -26,
    reason: 'script-verify-flag',
  },
  {
    rule: 'a signature for another amount',
    make: (s) => spend(s, toAlice, { value: 1_000_000n }),
    code: -26,
    reason: 'script-verify-flag',
  },
  {
    rule: 'no witness',
    make: (s) => spend(s, toAlice, { witness: () => [] }),
    code: -26,
    reason: 'script-verify-flag',
  },
]

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
      await spender.mineCoins(REFUSED.length + 40)
    })

    test.each(REFUSED)('refused: $rule', async ({ make, code, reason }) => {
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
