import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Transaction } from '@scure/btc-signer'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BlockTransaction } from './block.ts'
import { toHex } from './bytes.ts'
import type { ConnectedBlock } from './chain-path.ts'
import { Store } from './store.ts'
import { Wallet } from './wallet.ts'

const SEED = new Uint8Array(32).fill(1)
const FUNDING_SCRIPT = Uint8Array.of(0x00, 0x20, ...new Uint8Array(32).fill(9))
const FLOOR = 253

describe('Wallet', () => {
  let folder: string
  let store: Store
  let wallet: Wallet
  let height: number
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-wallet-'))
    store = new Store(folder)
    wallet = new Wallet(store, SEED, 'regtest')
    height = 100
  })
  afterEach(() => {
    store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  function mine(...transactions: BlockTransaction[]): ConnectedBlock {
    height++
    const block = {
      hash: `b${height}`,
      height,
      previous: null,
      raw: new Uint8Array(80),
      bytes: new Uint8Array(0),
    }
    const connected = { ...block, transactions }
    wallet.blockConnected(connected)
    return connected
  }
  const paying = (
    txid: string,
    script: Uint8Array,
    amountSat: bigint,
    spends: string[] = [],
  ): BlockTransaction => ({
    ...{ txid: txid.repeat(64), raw: new Uint8Array(0), spends },
    outputs: [{ amountSat, script }],
  })

  test('sees what confirmed blocks pay to its addresses, and forgets it when the block is disconnected', () => {
    const { script, address } = wallet.newAddress()
    expect(address.startsWith('bcrt1q')).toBe(true)
    const block = mine(paying('a', script, 50_000n), paying('b', FUNDING_SCRIPT, 70_000n))
    expect(wallet.balanceSat()).toBe(50_000n)
    wallet.blockDisconnected(block)
    expect(wallet.balanceSat()).toBe(0n)
  })

  test('pays exactly the amount, with change to itself, at the fee rate asked for', () => {
    const { script } = wallet.newAddress()
    mine(paying('a', script, 60_000n), paying('b', script, 50_000n))
    const { raw, txid } = wallet.fund(FUNDING_SCRIPT, 100_000n, FLOOR)
    const transaction = Transaction.fromRaw(raw, { allowUnknownOutputs: true })
    expect(transaction.id).toBe(txid)
    expect(transaction.inputsLength).toBe(2)
    expect(transaction.getOutput(0)).toMatchObject({ amount: 100_000n, script: FUNDING_SCRIPT })
    const fee = 110_000n - 100_000n - (transaction.getOutput(1).amount ?? 0n)
    const least = BigInt(Math.ceil((transaction.weight * FLOOR) / 1000))
    expect(fee).toBeGreaterThanOrEqual(least)
    expect(fee).toBeLessThan(least + 10n)
    expect(wallet.balanceSat()).toBe(0n)
  })

  test('coins of a transaction that will not confirm come back, those of a confirmed one do not', () => {
    const { script } = wallet.newAddress()
    mine(paying('a', script, 60_000n))
    const first = wallet.fund(FUNDING_SCRIPT, 50_000n, FLOOR)
    wallet.release(first.txid)
    expect(wallet.balanceSat()).toBe(60_000n)
    const block = mine(paying('c', FUNDING_SCRIPT, 1n, [`${'a'.repeat(64)}:0`]))
    expect(wallet.balanceSat()).toBe(0n)
    wallet.release('c'.repeat(64))
    expect(wallet.balanceSat()).toBe(0n)
    wallet.blockDisconnected(block)
    wallet.release('c'.repeat(64))
    expect(wallet.balanceSat()).toBe(60_000n)
  })

  test('a coin that was promised stays so when its block is undone, and is seen again in another', () => {
    const { script } = wallet.newAddress()
    const block = mine(paying('a', script, 60_000n))
    const funding = wallet.fund(FUNDING_SCRIPT, 50_000n, FLOOR)
    wallet.blockDisconnected(block)
    mine(paying('a', script, 60_000n))
    expect(wallet.balanceSat()).toBe(0n)
    wallet.release(funding.txid)
    expect(wallet.balanceSat()).toBe(60_000n)
  })

  test('a coin whose block was undone cannot be spent', () => {
    const { script } = wallet.newAddress()
    wallet.blockDisconnected(mine(paying('a', script, 60_000n)))
    expect(() => wallet.fund(FUNDING_SCRIPT, 1_000n, FLOOR)).toThrow(/holds 0 sat/)
  })

  test('change below the dust limit goes to the fee', () => {
    const { script } = wallet.newAddress()
    mine(paying('a', script, 50_000n))
    const { raw } = wallet.fund(FUNDING_SCRIPT, 49_700n, FLOOR)
    expect(Transaction.fromRaw(raw, { allowUnknownOutputs: true }).outputsLength).toBe(1)
  })

  test('more than the confirmed coins is refused, and nothing is reserved', () => {
    const { script } = wallet.newAddress()
    mine(paying('a', script, 50_000n))
    expect(() => wallet.fund(FUNDING_SCRIPT, 50_000n, FLOOR)).toThrow(/50000 sat/)
    expect(wallet.balanceSat()).toBe(50_000n)
  })

  test('opened again, it knows its addresses and makes new ones', () => {
    const first = wallet.newAddress()
    store.commit()
    wallet = new Wallet(store, SEED, 'regtest')
    mine(paying('a', first.script, 50_000n))
    expect(wallet.balanceSat()).toBe(50_000n)
    expect(toHex(wallet.newAddress().script)).not.toBe(toHex(first.script))
  })

  test('addresses are those of the network', () => {
    expect(new Wallet(store, SEED, 'bitcoin').newAddress().address).toMatch(/^bc1q/)
    expect(new Wallet(store, SEED, 'signet').newAddress().address).toMatch(/^tb1q/)
  })
})
