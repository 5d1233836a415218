import {
  type KeysManager,
  Option_u32Z,
  Result_SpendableOutputDescriptorDecodeErrorZ_OK,
  Result_TransactionNoneZ_OK,
  SpendableOutputDescriptor,
  SpendableOutputDescriptor_DelayedPaymentOutput,
  SpendableOutputDescriptor_StaticOutput,
  SpendableOutputDescriptor_StaticPaymentOutput,
} from 'lightningdevkit'
import type { Header } from './bitcoin-rpc.ts'
import type { Broadcaster } from './broadcaster.ts'
import { displayHash } from './bytes.ts'
import type { ConnectedBlock } from './chain-path.ts'
import type { NodeContext } from './context.ts'
import type { FeeRates } from './fees.ts'
import type { Wallet } from './wallet.ts'

/** A sweep that did not confirm for so long is signed again at the fee rate of the day. */
const SIGN_AGAIN_AFTER_BLOCKS = 12
const SETTLED_AFTER_BLOCKS = 100

type Row = { outpoint: string; descriptor: Uint8Array }

/** Outputs that a closed channel left to us: kept until their spend to our wallet has confirmed. */
export class Sweeps {
  readonly #node: NodeContext
  readonly #keys: KeysManager
  readonly #wallet: Wallet
  readonly #broadcaster: Broadcaster
  readonly #fees: FeeRates

  constructor(
    node: NodeContext,
    keys: KeysManager,
    wallet: Wallet,
    broadcaster: Broadcaster,
    fees: FeeRates,
  ) {
    this.#node = node
    this.#keys = keys
    this.#wallet = wallet
    this.#broadcaster = broadcaster
    this.#fees = fees
  }

  add(descriptors: SpendableOutputDescriptor[]): void {
    for (const descriptor of descriptors) {
      const outpoint = descriptor.spendable_outpoint()
      this.#node.store.run(
        'INSERT INTO sweeps (outpoint, descriptor, amount_sat) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
        `${displayHash(outpoint.get_txid())}:${outpoint.get_index()}`,
        descriptor.write(),
        amountSatOf(descriptor),
      )
    }
    this.spend()
  }

  /** Signs what was not signed yet, or too long ago. */
  spend(): void {
    const { store, height, log } = this.#node
    const due = store.all<Row>(
      'SELECT outpoint, descriptor FROM sweeps WHERE swept_height IS NULL AND (signed_height IS NULL OR signed_height + ? <= ?)',
      SIGN_AGAIN_AFTER_BLOCKS,
      height(),
    )
    for (const { outpoint, descriptor } of due) {
      const spent = this.#keys
        .as_OutputSpender()
        .spend_spendable_outputs(
          [readDescriptor(descriptor)],
          [],
          this.#wallet.newAddress().script,
          this.#fees.normal,
          Option_u32Z.constructor_none(),
        )
      if (!(spent instanceof Result_TransactionNoneZ_OK)) {
        log.warn('An output is not worth the fee of sweeping it now.', { outpoint })
        store.run('UPDATE sweeps SET signed_height = ? WHERE outpoint = ?', height(), outpoint)
        continue
      }
      this.#broadcaster.add(spent.res, height())
      store.run('UPDATE sweeps SET signed_height = ? WHERE outpoint = ?', height(), outpoint)
    }
  }

  blockConnected(block: ConnectedBlock): void {
    const { store } = this.#node
    const waiting = new Set(
      store.all<Row>('SELECT outpoint FROM sweeps WHERE swept_height IS NULL').map((row) => row.outpoint),
    )
    if (waiting.size > 0)
      for (const transaction of block.transactions)
        for (const outpoint of transaction.spends)
          if (waiting.has(outpoint))
            store.run('UPDATE sweeps SET swept_height = ? WHERE outpoint = ?', block.height, outpoint)
    store.run('DELETE FROM sweeps WHERE swept_height < ?', block.height - SETTLED_AFTER_BLOCKS)
    this.spend()
  }

  blockDisconnected({ height }: Pick<Header, 'height'>): void {
    this.#node.store.run('UPDATE sweeps SET swept_height = NULL WHERE swept_height = ?', height)
  }

  pendingSat(): bigint {
    const row = this.#node.store.get<{ sum: number | null }>(
      'SELECT SUM(amount_sat) AS sum FROM sweeps WHERE swept_height IS NULL',
    )
    return BigInt(row?.sum ?? 0)
  }
}

function readDescriptor(bytes: Uint8Array): SpendableOutputDescriptor {
  const read = SpendableOutputDescriptor.constructor_read(bytes)
  if (!(read instanceof Result_SpendableOutputDescriptorDecodeErrorZ_OK))
    throw new Error('A stored output descriptor cannot be read.')
  return read.res
}

function amountSatOf(descriptor: SpendableOutputDescriptor): bigint {
  if (descriptor instanceof SpendableOutputDescriptor_StaticOutput) return descriptor.output.value
  if (descriptor instanceof SpendableOutputDescriptor_DelayedPaymentOutput)
    return descriptor.delayed_payment_output.get_output().value
  if (descriptor instanceof SpendableOutputDescriptor_StaticPaymentOutput)
    return descriptor.static_payment_output.get_output().value
  throw new Error('LDK names a kind of output that is not known here.')
}
