import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { Spender, type TestCoin, testKey } from '../testing/spender.ts'
import { blockSubsidy, decodeBlock } from './block.ts'
import { MalformedBytes } from './bytes.ts'
import { ChainFileDamaged, ChainLog, RECORD } from './chain-log.ts'
import { Regtest } from './regtest.ts'
import { makeBitcoinRpc } from './rpc-client.ts'
import { outpointKey, type Transaction } from './transaction.ts'
import { areSequencesSatisfied } from './transaction-rules.ts'

const open: Regtest[] = []
const folders: string[] = []

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-regtest-'))
  folders.push(folder)
  return folder
}

function openChain(folder = freshFolder()): Regtest {
  const regtest = Regtest.open(folder)
  open.push(regtest)
  return regtest
}

function closeChain(regtest: Regtest): void {
  open.splice(open.indexOf(regtest), 1)
  regtest.close()
}

afterEach(() => {
  for (const regtest of open.splice(0)) regtest.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const miner = testKey('miner')
/** Signs only; nothing is asked of a server. */
const spender = new Spender(makeBitcoinRpc('http://unused:unused@127.0.0.1:1'), 'miner')

function mine(regtest: Regtest, count = 1): void {
  for (let i = 0; i < count; i++) regtest.mine(miner.script)
}

function coinsOf(regtest: Regtest): TestCoin[] {
  return [...regtest.chain.utxo.withScript(miner.script)].map(({ txid, vout, output }) => ({
    txid,
    vout,
    ...output,
  }))
}

function supply(regtest: Regtest): bigint {
  let total = 0n
  for (const coin of regtest.chain.utxo.all()) total += coin.output.value
  return total
}

/** What the blocks up to `height` may have created; genesis' coinbase is unspendable and not counted. */
function issued(height: number): bigint {
  let total = 0n
  for (let h = 1; h <= height; h++) total += blockSubsidy(h)
  return total
}

function snapshot(regtest: Regtest) {
  return {
    tip: regtest.chain.tip.hash,
    coins: [...regtest.chain.utxo.all()].map(outpointKey).sort(),
    mempool: [...regtest.mempool.all()].map((entry) => entry.tx.txid),
    balance: regtest.wallet.name === null ? null : regtest.wallet.balance(),
  }
}

describe('money', () => {
  test('the subsidy halves every 150 blocks', () => {
    expect([0, 149, 150, 299, 300, 150 * 33, 150 * 64].map(blockSubsidy)).toEqual([
      5_000_000_000n,
      5_000_000_000n,
      2_500_000_000n,
      2_500_000_000n,
      1_250_000_000n,
      0n,
      0n,
    ])
  })

  /** Steps of a random life: numbers choose coins and amounts, some of them wrong on purpose. */
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('mine' as const) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('spend' as const),
        pick: fc.nat(),
        inputs: fc.integer({ min: 1, max: 3 }),
        fee: fc.integer({ min: -5_000, max: 20_000 }),
        split: fc.integer({ min: 1, max: 3 }),
        forged: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('invalidate' as const),
        depth: fc.integer({ min: 0, max: 4 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reconsider' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  )

  test('no life of the chain creates or loses money, nor spends a coin twice', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
        const folder = freshFolder()
        let regtest = openChain(folder)
        mine(regtest, 104)
        const rejectedBlocks: string[] = []
        for (const one of steps) {
          if (one.kind === 'mine') mine(regtest)
          else if (one.kind === 'spend') spendSomething(regtest, one)
          else if (one.kind === 'invalidate') {
            const node = regtest.chain.at(regtest.chain.tip.height - one.depth)!
            rejectedBlocks.push(node.hash)
            regtest.invalidate(node)
          } else if (one.kind === 'reconsider') {
            const hash = rejectedBlocks.pop()
            if (hash !== undefined) regtest.reconsider(regtest.chain.tree.get(hash)!)
          } else {
            const before = snapshot(regtest)
            closeChain(regtest)
            regtest = openChain(folder)
            expect(snapshot(regtest)).toEqual(before)
          }
          expectSound(regtest)
        }
        closeChain(regtest)
      }),
      { numRuns: 25 },
    )
  })

  function spendSomething(
    regtest: Regtest,
    {
      pick,
      inputs,
      fee,
      split,
      forged,
    }: { pick: number; inputs: number; fee: number; split: number; forged: boolean },
  ): void {
    const unconfirmed = [...regtest.mempool.all()].flatMap(({ tx }) =>
      tx.outputs.map((output, vout) => ({ txid: tx.txid, vout, ...output })),
    )
    const candidates = [...coinsOf(regtest), ...unconfirmed]
    const chosen = Array.from({ length: inputs }, (_, i) => candidates[(pick + i * 7) % candidates.length]!)
    const total = chosen.reduce((sum, coin) => sum + coin.value, 0n) - BigInt(fee)
    const outputs = Array.from({ length: split }, () => ({
      value: total / BigInt(split),
      script: miner.script,
    }))
    const tx = spender.build(
      chosen.map((coin) => (forged ? { ...coin, value: coin.value + 1n } : coin)),
      outputs,
    )
    const refused = regtest.submit(tx)
    if (forged || fee < 0) expect(refused).not.toBeNull()
  }

  function expectSound(regtest: Regtest): void {
    expect(supply(regtest)).toBe(issued(regtest.chain.tip.height))
    const spent = new Set<string>()
    for (const { tx, fee } of regtest.mempool.all()) {
      let paidIn = 0n
      for (const input of tx.inputs) {
        expect(spent.has(outpointKey(input))).toBe(false)
        spent.add(outpointKey(input))
        const output =
          regtest.chain.utxo.get(input)?.output ?? regtest.mempool.get(input.txid)?.tx.outputs[input.vout]
        paidIn += output!.value
      }
      expect(paidIn - tx.outputs.reduce((sum, output) => sum + output.value, 0n)).toBe(fee)
    }
  }
})

describe('the block that is mined', () => {
  test('commits to its witnesses, names its height and pays the fees to its miner', () => {
    const regtest = openChain()
    mine(regtest, 101)
    const [coin] = coinsOf(regtest)
    const tx = spender.build([coin!], [{ value: coin!.value - 7_000n, script: miner.script }])
    expect(regtest.submit(tx)).toBeNull()
    const block = regtest.mine(miner.script)
    const [coinbase] = block.transactions
    expect(block.transactions[1]!.txid).toBe(tx.txid)
    expect(coinbase!.outputs[0]!.value).toBe(5_000_007_000n)
    expect(Buffer.from(coinbase!.inputs[0]!.scriptSig).toString('hex')).toMatch(/^0166/)
    expect(Buffer.from(coinbase!.outputs[1]!.script).toString('hex')).toMatch(/^6a24aa21a9ed/)
    expect(decodeBlock(block.bytes).hash).toBe(block.hash)
  })

  test('is refused when a byte of its transactions, or of their root, changed', () => {
    const block = openChain().mine(miner.script)
    for (const at of [40, 100, block.bytes.length - 1]) {
      const spoiled = Buffer.from(block.bytes)
      spoiled[at]! ^= 1
      expect(() => decodeBlock(spoiled)).toThrow(MalformedBytes)
    }
    expect(() => decodeBlock(Buffer.concat([block.bytes, Buffer.alloc(1)]))).toThrow(MalformedBytes)
  })

  test('has a time above the median of the eleven before it, even when the clock stands still', () => {
    const regtest = openChain()
    regtest.setMockTime(1_900_000_000)
    mine(regtest, 40)
    for (let height = 2; height <= 40; height++) {
      expect(regtest.chain.at(height)!.header.time).toBeGreaterThan(
        regtest.chain.medianTimePastAt(height - 1),
      )
    }
    expect(regtest.chain.tip.header.time).toBeLessThan(1_900_000_010)
  })

  test('leaves out what does not fit, and its children with it', () => {
    const regtest = openChain()
    mine(regtest, 115)
    // Twelve of almost the standard limit do not all fit into one block.
    const large = coinsOf(regtest)
      .slice(0, 12)
      .map((coin) => {
        const outputs = Array.from({ length: 3_000 }, () => ({ value: 1_000n, script: miner.script }))
        return spender.build([coin], [...outputs, { value: coin.value - 3_200_000n, script: miner.script }])
      })
    for (const tx of large) expect(regtest.submit(tx)).toBeNull()
    const last = large.at(-1)!
    const child = spender.build(
      [{ txid: last.txid, vout: 3_000, ...last.outputs[3_000]! }],
      [{ value: last.outputs[3_000]!.value - 1_000n, script: miner.script }],
    )
    expect(regtest.submit(child)).toBeNull()
    const mined = regtest.mine(miner.script).transactions.map((tx) => tx.txid)
    expect(mined.length).toBeLessThan(12)
    expect(mined).not.toContain(child.txid)
    mine(regtest)
    expect(regtest.mempool.size).toBe(0)
  })
})

describe('the chain on the disk', () => {
  function writeSome(folder: string): { before: string; after: string; tx: Transaction } {
    const regtest = openChain(folder)
    mine(regtest, 102)
    regtest.wallet.create('holdfast')
    regtest.mine(regtest.wallet.newScript())
    const [coin] = coinsOf(regtest)
    const tx = spender.build([coin!], [{ value: coin!.value - 1_000n, script: miner.script }])
    expect(regtest.submit(tx)).toBeNull()
    const before = regtest.chain.tip.hash
    mine(regtest)
    const after = regtest.chain.tip.hash
    closeChain(regtest)
    return { before, after, tx }
  }

  test('comes back whole: blocks, mempool, wallet, rejected blocks', () => {
    const folder = freshFolder()
    const { tx } = writeSome(folder)
    let regtest = openChain(folder)
    regtest.invalidate(regtest.chain.tip)
    expect([...regtest.mempool.all()].map((entry) => entry.tx.txid)).toEqual([tx.txid])
    const state = snapshot(regtest)
    closeChain(regtest)
    regtest = openChain(folder)
    expect(snapshot(regtest)).toEqual(state)
    expect(regtest.wallet.name).toBe('holdfast')
  })

  test('loses at most the record whose writing was interrupted, wherever that was', () => {
    const folder = freshFolder()
    const { before, after, tx } = writeSome(folder)
    const file = join(folder, 'chain.log')
    const whole = readFileSync(file)
    const lastRecord = whole.lastIndexOf(Buffer.from([0xf3, 0x48, 0x46, 0x0a]))
    for (let length = lastRecord; length <= whole.length; length += 13) {
      writeFileSync(file, whole.subarray(0, length))
      const regtest = openChain(folder)
      expect(regtest.chain.tip.hash).toBe(length === whole.length ? after : before)
      expect(regtest.mempool.get(tx.txid) !== undefined).toBe(length < whole.length)
      mine(regtest)
      expect(regtest.chain.tip.height).toBe(length === whole.length ? 105 : 104)
      closeChain(regtest)
    }
  })

  test('begins anew when even its first line was not finished', () => {
    const folder = freshFolder()
    writeFileSync(join(folder, 'chain.log'), 'holdf')
    expect(openChain(folder).chain.tip.height).toBe(0)
  })

  test('is not opened when records before the last one are damaged, or when it is another file', () => {
    const folder = freshFolder()
    writeSome(folder)
    const file = join(folder, 'chain.log')
    const whole = readFileSync(file)
    for (const at of [0, 30, 500, 5_000]) {
      const damaged = Buffer.from(whole)
      damaged[at]! ^= 0x40
      writeFileSync(file, damaged)
      expect(() => openChain(folder)).toThrow(ChainFileDamaged)
      expect(readFileSync(file).equals(damaged)).toBe(true)
    }
  })

  test('is not opened when it holds what this version does not know', () => {
    const folder = freshFolder()
    const log = ChainLog.open(folder)
    log.replay(() => undefined)
    log.append(99 as typeof RECORD.block, Buffer.alloc(3))
    log.close()
    expect(() => openChain(folder)).toThrow('kind 99')
  })

  test('refuses a record that no reader would accept', () => {
    const log = ChainLog.open(freshFolder())
    log.replay(() => undefined)
    expect(() => log.append(RECORD.block, Buffer.alloc(8_000_001))).toThrow('too large')
    log.close()
  })

  test('that lost its end while it is open says so instead of answering something else', () => {
    const folder = freshFolder()
    const regtest = openChain(folder)
    mine(regtest, 2)
    truncateSync(join(folder, 'chain.log'), 60)
    expect(() => regtest.blockBytes(regtest.chain.tip.hash)).toThrow(ChainFileDamaged)
  })
})

test('a relative lock does not bind version 1', () => {
  const tx = spender.build(
    [{ txid: '11'.repeat(32), vout: 0, value: 1n, script: miner.script, sequence: 500 }],
    [{ value: 1n, script: miner.script }],
    { version: 1 },
  )
  expect(areSequencesSatisfied(tx, [], { height: 1, medianTimePast: 0 }, () => 0)).toBe(true)
})
