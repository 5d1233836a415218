import { isUnspendable } from './script/output-script.ts'
import { isCoinbase, outpointKey, type Transaction, type TxOutput } from './transaction.ts'

/** An unspent output, and the block that confirmed it. */
export type Coin = {
  readonly txid: string
  readonly vout: number
  readonly output: TxOutput
  readonly height: number
  readonly isCoinbase: boolean
}

/** What a transaction spent when its block was connected, in the order of its inputs: all that undoing it needs. */
export type SpentCoins = readonly Coin[]

/** The unspent outputs of the active chain, in memory, also found by script. */
export class UtxoSet {
  private readonly coins = new Map<string, Coin>()
  private readonly byScript = new Map<string, Set<Coin>>()

  get size(): number {
    return this.coins.size
  }

  get(outpoint: { txid: string; vout: number }): Coin | undefined {
    return this.coins.get(outpointKey(outpoint))
  }

  withScript(script: Uint8Array): Iterable<Coin> {
    return this.byScript.get(scriptKey(script)) ?? []
  }

  all(): Iterable<Coin> {
    return this.coins.values()
  }

  /** Throws when an input is not there: a block is connected only after its transactions were checked. */
  apply(tx: Transaction, height: number): SpentCoins {
    const coinbase = isCoinbase(tx)
    const spent = coinbase ? [] : tx.inputs.map((input) => this.remove(outpointKey(input)))
    for (const [vout, output] of tx.outputs.entries()) {
      if (!isUnspendable(output.script))
        this.add({ txid: tx.txid, vout, output, height, isCoinbase: coinbase })
    }
    return spent
  }

  undo(tx: Transaction, spent: SpentCoins): void {
    for (const [vout, output] of tx.outputs.entries()) {
      if (!isUnspendable(output.script)) this.remove(outpointKey({ txid: tx.txid, vout }))
    }
    for (const coin of spent) this.add(coin)
  }

  private add(coin: Coin): void {
    this.coins.set(outpointKey(coin), coin)
    const key = scriptKey(coin.output.script)
    const siblings = this.byScript.get(key)
    if (siblings === undefined) this.byScript.set(key, new Set([coin]))
    else siblings.add(coin)
  }

  private remove(key: string): Coin {
    const coin = this.coins.get(key)
    if (coin === undefined) throw new Error(`the coin ${key} is not in the UTXO set`)
    this.coins.delete(key)
    const script = scriptKey(coin.output.script)
    const siblings = this.byScript.get(script)
    siblings?.delete(coin)
    if (siblings?.size === 0) this.byScript.delete(script)
    return coin
  }
}

function scriptKey(script: Uint8Array): string {
  return Buffer.from(script).toString('latin1')
}
