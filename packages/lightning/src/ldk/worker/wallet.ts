import { HDKey } from '@scure/bip32'
import { NETWORK, p2wpkh, TEST_NETWORK, Transaction } from '@scure/btc-signer'
import { type Network, NodeError } from '../../ports.ts'
import type { Header } from './bitcoin-rpc.ts'
import { fromHex, toHex } from './bytes.ts'
import type { ConnectedBlock } from './chain-path.ts'
import type { Store } from './store.ts'

// Weight units of a P2WPKH spend: BIP-141 (four per non-witness byte, one per witness byte).
const OVERHEAD_WEIGHT = 42n
const INPUT_WEIGHT = 272n
const FUNDING_OUTPUT_WEIGHT = 172n
const CHANGE_OUTPUT_WEIGHT = 124n
const DUST_SAT = 294n
const NO_HEIGHT = -1

type Coin = { outpoint: string; amount_sat: number; key_index: number }

/**
 * The node's own P2WPKH wallet (BIP-84 account 0, external chain): it pays for channels and receives sweeps. It sees
 * only confirmed coins, by reading every block that the node follows. A coin whose block was undone stands at no height:
 * what it was promised to may confirm with it again.
 */
export class Wallet {
  readonly #store: Store
  readonly #account: HDKey
  readonly #params: typeof NETWORK
  readonly #indexByScript = new Map<string, number>()

  constructor(store: Store, seed: Uint8Array, network: Network) {
    this.#store = store
    this.#account = HDKey.fromMasterSeed(seed).derive(`m/84'/${network === 'bitcoin' ? 0 : 1}'/0'/0`)
    this.#params =
      network === 'bitcoin'
        ? NETWORK
        : network === 'regtest'
          ? { ...TEST_NETWORK, bech32: 'bcrt' }
          : TEST_NETWORK
    for (let index = 0; index < this.#nextIndex(); index++)
      this.#indexByScript.set(toHex(this.#payment(index).script), index)
  }

  /** A fresh address and its script. */
  newAddress(): { address: string; script: Uint8Array } {
    const index = this.#nextIndex()
    this.#store.run(
      'INSERT INTO wallet_keys VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET next_index = excluded.next_index',
      index + 1,
    )
    const { address, script } = this.#payment(index)
    this.#indexByScript.set(toHex(script), index)
    if (!address) throw new Error('A P2WPKH script has an address.')
    return { address, script }
  }

  /** Confirmed and not promised to a transaction of ours, in sat. */
  balanceSat(): bigint {
    const row = this.#store.get<{ sum: number | null }>(
      'SELECT SUM(amount_sat) AS sum FROM coins WHERE spent_by IS NULL AND height <> ?',
      NO_HEIGHT,
    )
    return BigInt(row?.sum ?? 0)
  }

  /**
   * A signed transaction that pays `amountSat` to `script`; its coins are reserved for it. Throws
   * `NodeError('insufficient-funds')`-like `invalid` when the confirmed coins do not suffice.
   */
  fund(script: Uint8Array, amountSat: bigint, satPerKw: number): { raw: Uint8Array; txid: string } {
    const coins = this.#store.all<Coin>(
      'SELECT outpoint, amount_sat, key_index FROM coins WHERE spent_by IS NULL AND height <> ? ORDER BY amount_sat DESC',
      NO_HEIGHT,
    )
    const chosen: Coin[] = []
    let gathered = 0n
    const feeFor = (weight: bigint) => (weight * BigInt(satPerKw) + 999n) / 1000n
    const weight = () => OVERHEAD_WEIGHT + FUNDING_OUTPUT_WEIGHT + INPUT_WEIGHT * BigInt(chosen.length)
    for (const coin of coins) {
      if (gathered >= amountSat + feeFor(weight())) break
      chosen.push(coin)
      gathered += BigInt(coin.amount_sat)
    }
    if (gathered < amountSat + feeFor(weight()))
      throw new NodeError(
        'invalid',
        `The wallet holds ${gathered} sat; ${amountSat} sat and a fee are needed.`,
      )

    const transaction = new Transaction()
    for (const coin of chosen) {
      const [txid, vout] = coin.outpoint.split(':') as [string, string]
      transaction.addInput({
        txid: fromHex(txid),
        index: Number(vout),
        witnessUtxo: { script: this.#payment(coin.key_index).script, amount: BigInt(coin.amount_sat) },
      })
    }
    transaction.addOutput({ script, amount: amountSat })
    const change = gathered - amountSat - feeFor(weight() + CHANGE_OUTPUT_WEIGHT)
    if (change >= DUST_SAT) transaction.addOutput({ script: this.newAddress().script, amount: change })
    for (const [input, coin] of chosen.entries()) transaction.signIdx(this.#privateKey(coin.key_index), input)
    transaction.finalize()
    for (const coin of chosen)
      this.#store.run('UPDATE coins SET spent_by = ? WHERE outpoint = ?', transaction.id, coin.outpoint)
    return { raw: transaction.extract(), txid: transaction.id }
  }

  /** Gives back the coins of a transaction that will never confirm. */
  release(txid: string): void {
    this.#store.run('UPDATE coins SET spent_by = NULL WHERE spent_by = ? AND spent_height IS NULL', txid)
  }

  blockConnected(block: ConnectedBlock): void {
    const watched = new Set(
      this.#store
        .all<{ outpoint: string }>('SELECT outpoint FROM coins WHERE spent_height IS NULL')
        .map((c) => c.outpoint),
    )
    for (const transaction of block.transactions) {
      for (const outpoint of transaction.spends)
        if (watched.has(outpoint))
          this.#store.run(
            'UPDATE coins SET spent_by = ?, spent_height = ? WHERE outpoint = ?',
            transaction.txid,
            block.height,
            outpoint,
          )
      for (const [vout, output] of transaction.outputs.entries()) {
        const index = this.#indexByScript.get(toHex(output.script))
        if (index === undefined) continue
        const outpoint = `${transaction.txid}:${vout}`
        watched.add(outpoint)
        this.#store.run(
          'INSERT INTO coins (outpoint, amount_sat, key_index, height) VALUES (?, ?, ?, ?) ON CONFLICT (outpoint) DO UPDATE SET height = excluded.height',
          outpoint,
          output.amountSat,
          index,
          block.height,
        )
      }
    }
  }

  blockDisconnected(header: Header): void {
    this.#store.run('UPDATE coins SET height = ? WHERE height = ?', NO_HEIGHT, header.height)
    this.#store.run('UPDATE coins SET spent_height = NULL WHERE spent_height = ?', header.height)
  }

  #nextIndex(): number {
    return this.#store.get<{ next_index: number }>('SELECT next_index FROM wallet_keys')?.next_index ?? 0
  }

  #payment(index: number) {
    const key = this.#account.deriveChild(index).publicKey
    if (!key) throw new Error('A derived key has a public key.')
    return p2wpkh(key, this.#params)
  }

  #privateKey(index: number): Uint8Array {
    const key = this.#account.deriveChild(index).privateKey
    if (!key) throw new Error('A derived key has a private key.')
    return key
  }
}
