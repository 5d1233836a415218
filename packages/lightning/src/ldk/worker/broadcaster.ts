import { BitcoinRpcError, BitcoinRpcUnavailable } from '../../bitcoin-call.ts'
import type { Log } from '../types.ts'
import type { BitcoinRpc, Header } from './bitcoin-rpc.ts'
import { txidOf } from './block.ts'
import { toHex } from './bytes.ts'
import type { ConnectedBlock } from './chain-path.ts'
import type { Store } from './store.ts'

/** Far beyond any relative lock of ours: what has not confirmed by then was replaced by another spend. */
const GIVE_UP_AFTER_BLOCKS = 2016
const SETTLED_AFTER_BLOCKS = 100

/**
 * Transactions are first written down with the turn that made them, sent after its commit, and sent again with each
 * block until one confirms, so that neither a crash nor a full mempool loses one.
 */
export class Broadcaster {
  readonly #store: Store
  readonly #rpc: BitcoinRpc
  readonly #log: Log
  #sending: Promise<void> = Promise.resolve()
  #unsent: { txid: string; raw: Uint8Array }[] = []
  #flushed = Promise.withResolvers<void>()

  constructor(store: Store, rpc: BitcoinRpc, log: Log) {
    this.#store = store
    this.#rpc = rpc
    this.#log = log
  }

  /** After a start: what a crash may have kept from being sent. */
  sendAgain(): void {
    this.#unsent.push(...this.#waiting())
  }

  add(raw: Uint8Array, height: number): string {
    const txid = txidOf(raw)
    this.#store.run(
      'INSERT INTO broadcasts (txid, raw, since_height) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      txid,
      raw,
      height,
    )
    this.#unsent.push({ txid, raw })
    return txid
  }

  blockConnected(block: ConnectedBlock): void {
    const confirmed = new Set(block.transactions.map((transaction) => transaction.txid))
    for (const { txid, raw, since_height } of this.#waiting()) {
      if (confirmed.has(txid))
        this.#store.run('UPDATE broadcasts SET confirmed_height = ? WHERE txid = ?', block.height, txid)
      else if (since_height + GIVE_UP_AFTER_BLOCKS < block.height)
        this.#store.run('DELETE FROM broadcasts WHERE txid = ?', txid)
      else if (!this.#unsent.some((unsent) => unsent.txid === txid)) this.#unsent.push({ txid, raw })
    }
    this.#store.run('DELETE FROM broadcasts WHERE confirmed_height < ?', block.height - SETTLED_AFTER_BLOCKS)
  }

  blockDisconnected({ height }: Pick<Header, 'height'>): void {
    this.#store.run('UPDATE broadcasts SET confirmed_height = NULL WHERE confirmed_height = ?', height)
  }

  /** Sends what the committed turn left. A refusal is expected here: inputs already spent, or already in a block. */
  flush(): void {
    const batch = this.#unsent
    this.#unsent = []
    if (batch.length === 0) return
    this.#sending = this.#sending.then(async () => {
      // In order: a later one may spend an earlier one.
      for (const { txid, raw } of batch) {
        try {
          await this.#rpc.broadcast(toHex(raw))
        } catch (cause) {
          if (!(cause instanceof BitcoinRpcError || cause instanceof BitcoinRpcUnavailable)) throw cause
          this.#log.info('The chain did not take a transaction.', { txid, reason: cause.message })
        }
      }
    })
    this.#sending = this.#sending.catch((cause) =>
      this.#log.error('Sending transactions failed.', { reason: String(cause) }),
    )
    this.#flushed.resolve()
    this.#flushed = Promise.withResolvers()
  }

  /** Resolves when everything added so far was offered to the chain. */
  async sent(): Promise<void> {
    if (this.#unsent.length > 0) await this.#flushed.promise
    return this.#sending
  }

  #waiting(): { txid: string; raw: Uint8Array; since_height: number }[] {
    return this.#store.all('SELECT txid, raw, since_height FROM broadcasts WHERE confirmed_height IS NULL')
  }
}
