import { type Block, blockSubsidy, decodeBlock } from './block.ts'
import { type BlockNode, BlockTree } from './block-tree.ts'
import type { Transaction } from './transaction.ts'
import type { NextBlock } from './transaction-rules.ts'
import { UtxoSet } from './utxo-set.ts'

/** What a change of tip did, oldest block first in `connected`, newest first in `disconnected`. */
export type TipChange = { readonly disconnected: readonly Block[]; readonly connected: readonly Block[] }

/** The active chain and what follows from it. `readBlock` gives the bytes of any known block but the genesis. */
export class ChainState {
  readonly tree = new BlockTree()
  readonly utxo = new UtxoSet()
  private readonly active: BlockNode[] = [this.tree.genesis]
  private readonly confirmedIn = new Map<string, BlockNode>()
  private readonly readBlock: (hash: string) => Buffer

  constructor(readBlock: (hash: string) => Buffer) {
    this.readBlock = readBlock
  }

  get tip(): BlockNode {
    return this.active.at(-1)!
  }

  get next(): NextBlock {
    return { height: this.tip.height + 1, medianTimePast: this.tip.medianTimePast }
  }

  at(height: number): BlockNode | undefined {
    return this.active[height]
  }

  isActive(node: BlockNode): boolean {
    return this.active[node.height] === node
  }

  /** The block of the active chain that holds the transaction. */
  confirming(txid: string): BlockNode | undefined {
    return this.confirmedIn.get(txid)
  }

  /** -1 beside the active chain, as bitcoind says it. */
  confirmations(node: BlockNode): number {
    return this.isActive(node) ? this.tip.height - node.height + 1 : -1
  }

  medianTimePastAt(height: number): number {
    const node = this.active[height]
    if (node === undefined) throw new Error(`the active chain has no block at height ${height}`)
    return node.medianTimePast
  }

  /** Takes a new block whose transactions were checked, and makes it the tip if it has more work. */
  add(block: Block): TipChange {
    const node = this.tree.add(block)
    if (node.height <= this.tip.height) return { disconnected: [], connected: [] }
    if (node.parent === this.tip) {
      this.connect(node, block)
      return { disconnected: [], connected: [block] }
    }
    return this.moveTo(node)
  }

  /** Moves to the branch with the most work after blocks were declared valid or invalid. */
  reconsiderTip(): TipChange {
    return this.moveTo(this.tree.bestTip())
  }

  private moveTo(target: BlockNode): TipChange {
    const branch: BlockNode[] = []
    for (let node: BlockNode | null = target; node !== null && !this.isActive(node); node = node.parent) {
      branch.unshift(node)
    }
    const fork = branch[0]?.parent ?? target
    const disconnected: Block[] = []
    while (this.tip !== fork) disconnected.push(this.disconnectTip())
    const connected = branch.map((node) => {
      const block = decodeBlock(this.readBlock(node.hash))
      this.connect(node, block)
      return block
    })
    return { disconnected, connected }
  }

  private connect(node: BlockNode, block: Block): void {
    let fees = 0n
    node.spent = block.transactions.map((tx, i) => {
      const spent = this.utxo.apply(tx, node.height)
      if (i > 0) fees += spent.reduce((sum, coin) => sum + coin.output.value, 0n) - valueOut(tx)
      this.confirmedIn.set(tx.txid, node)
      return spent
    })
    if (fees < 0n || valueOut(block.transactions[0]!) > blockSubsidy(node.height) + fees) {
      throw new Error(`block ${block.hash} creates more than its subsidy and fees`)
    }
    this.active.push(node)
  }

  private disconnectTip(): Block {
    const node = this.active.pop()!
    const block = decodeBlock(this.readBlock(node.hash))
    for (let i = block.transactions.length - 1; i >= 0; i--) {
      const tx = block.transactions[i]!
      this.utxo.undo(tx, node.spent[i]!)
      this.confirmedIn.delete(tx.txid)
    }
    node.spent = []
    return block
  }
}

function valueOut(tx: Transaction): bigint {
  return tx.outputs.reduce((sum, output) => sum + output.value, 0n)
}
