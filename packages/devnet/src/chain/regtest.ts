import { randomBytes } from 'node:crypto'
import { assembleBlock } from './assemble-block.ts'
import { type Block, decodeBlock } from './block.ts'
import type { BlockNode } from './block-tree.ts'
import { ChainLog, type LogRecord, RECORD, type RecordPosition } from './chain-log.ts'
import { ChainState, type TipChange } from './chain-state.ts'
import { Mempool } from './mempool.ts'
import { isRejection, type Rejection } from './rejection.ts'
import { decodeTransaction, type Transaction } from './transaction.ts'
import { Wallet } from './wallet.ts'

/**
 * The regtest chain: active chain, mempool and wallet, kept in one log. Each change is appended to the log before it
 * is applied; `flush` makes what was applied durable, and must be awaited before anyone is told of it.
 */
export class Regtest {
  readonly chain: ChainState
  readonly mempool: Mempool
  readonly wallet: Wallet
  private readonly log: ChainLog
  private readonly positions = new Map<string, RecordPosition>()
  private mockTime: number | null = null

  private constructor(log: ChainLog) {
    this.log = log
    this.chain = new ChainState((hash) => this.blockBytes(hash))
    this.mempool = new Mempool(this.chain)
    this.wallet = new Wallet(this.chain, this.mempool, {
      created: (json) => this.log.append(RECORD.wallet, Buffer.from(json)),
      issued: (count) => this.log.append(RECORD.addressesIssued, Buffer.from(String(count))),
    })
  }

  /** Opens the chain that is kept in `folder`, or begins one there. Throws `ChainFileDamaged`. */
  static open(folder: string): Regtest {
    const log = ChainLog.open(folder)
    try {
      const regtest = new Regtest(log)
      const seen: Transaction[] = []
      log.replay((record) => regtest.replay(record, seen))
      regtest.mempool.refill(seen)
      return regtest
    } catch (fault) {
      log.close()
      throw fault
    }
  }

  /** Seconds since 1970. */
  get now(): number {
    return this.mockTime ?? Math.floor(Date.now() / 1000)
  }

  /** 0 goes back to the real clock. */
  setMockTime(seconds: number): void {
    this.mockTime = seconds === 0 ? null : seconds
  }

  /** Takes a transaction into the mempool. Known there already is success. */
  submit(tx: Transaction): Rejection | null {
    if (this.mempool.get(tx.txid) !== undefined) return null
    const checked = this.mempool.check(tx)
    if (isRejection(checked)) return checked
    this.log.append(RECORD.mempoolTransaction, tx.bytes)
    this.mempool.add(checked)
    return null
  }

  mine(script: Uint8Array): Block {
    const block = assembleBlock(this.chain, this.mempool, {
      script,
      now: this.now,
      extraNonce: randomBytes(8),
    })
    this.positions.set(block.hash, this.log.append(RECORD.block, block.bytes))
    this.follow(this.chain.add(block))
    return block
  }

  invalidate(node: BlockNode): void {
    this.log.append(RECORD.invalidated, Buffer.from(node.hash, 'hex'))
    node.invalidated = true
    this.follow(this.chain.reconsiderTip())
  }

  reconsider(node: BlockNode): void {
    this.log.append(RECORD.reconsidered, Buffer.from(node.hash, 'hex'))
    markValid(node)
    this.follow(this.chain.reconsiderTip())
  }

  blockBytes(hash: string): Buffer {
    const position = this.positions.get(hash)
    if (position === undefined) throw new Error(`the bytes of block ${hash} are not in the log`)
    return this.log.read(position)
  }

  transactionIn(node: BlockNode, txid: string): Transaction | undefined {
    if (node.parent === null) return undefined
    return decodeBlock(this.blockBytes(node.hash)).transactions.find((tx) => tx.txid === txid)
  }

  flush(): Promise<void> {
    return this.log.flush()
  }

  close(): void {
    this.log.close()
  }

  /** A reorganisation puts the transactions of the blocks that went first, in their order, then what waited. */
  private follow({ disconnected, connected }: TipChange): void {
    if (disconnected.length === 0) {
      for (const block of connected) this.mempool.removeConfirmed(block.transactions)
      return
    }
    const returned = [...disconnected].reverse().flatMap((block) => block.transactions.slice(1))
    const waiting = [...this.mempool.all()].map((entry) => entry.tx)
    this.mempool.refill([...returned, ...waiting])
  }

  /** The log holds only what was checked when it was written; signatures are not checked again. */
  private replay({ kind, payload, position }: LogRecord, seen: Transaction[]): void {
    if (kind === RECORD.block) {
      const block = decodeBlock(payload)
      this.positions.set(block.hash, position)
      const { disconnected } = this.chain.add(block)
      for (const old of disconnected) seen.push(...old.transactions.slice(1))
    } else if (kind === RECORD.mempoolTransaction) {
      seen.push(decodeTransaction(payload))
    } else if (kind === RECORD.invalidated || kind === RECORD.reconsidered) {
      const node = this.chain.tree.get(payload.toString('hex'))
      if (node === undefined) throw new Error('the log names a block that it does not hold')
      if (kind === RECORD.invalidated) node.invalidated = true
      else markValid(node)
      this.chain.reconsiderTip()
    } else if (kind === RECORD.wallet) {
      this.wallet.restore(payload.toString())
    } else if (kind === RECORD.addressesIssued) {
      this.wallet.restoreIssued(Number(payload.toString()))
    } else {
      throw new Error(`the log holds a record of kind ${kind}, which this version does not know`)
    }
  }
}

/** Like bitcoind's `reconsiderblock`: the block, its ancestors and its descendants. */
function markValid(node: BlockNode): void {
  for (let ancestor: BlockNode | null = node; ancestor !== null; ancestor = ancestor.parent)
    ancestor.invalidated = false
  const open = [...node.children]
  for (let child = open.pop(); child !== undefined; child = open.pop()) {
    child.invalidated = false
    open.push(...child.children)
  }
}
