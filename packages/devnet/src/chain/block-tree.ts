import { type Block, type BlockHeader, regtestGenesis } from './block.ts'
import type { SpentCoins } from './utxo-set.ts'

/** A block that we know, on the active chain or beside it. */
export type BlockNode = {
  readonly hash: string
  readonly header: BlockHeader
  readonly height: number
  readonly parent: BlockNode | null
  readonly children: BlockNode[]
  readonly txCount: number
  /** Median time of this block and its ten ancestors: the median time past that its child is held to. */
  readonly medianTimePast: number
  /** Order of arrival: of two branches of equal work the first seen is active. */
  readonly arrival: number
  /** Named by `invalidateblock`; its descendants are invalid with it. */
  invalidated: boolean
  /** Of each transaction while the block is on the active chain. */
  spent: readonly SpentCoins[]
}

/** All known blocks. On regtest each block carries the same work, so the most work is the greatest height. */
export class BlockTree {
  readonly genesis: BlockNode
  private readonly nodes = new Map<string, BlockNode>()

  constructor() {
    const genesis = regtestGenesis()
    this.genesis = this.insert(genesis, null)
  }

  get(hash: string): BlockNode | undefined {
    return this.nodes.get(hash)
  }

  add(block: Block): BlockNode {
    const parent = this.nodes.get(block.header.previousHash)
    if (parent === undefined) throw new Error(`the parent of block ${block.hash} is unknown`)
    return this.insert(block, parent)
  }

  private insert(block: Block, parent: BlockNode | null): BlockNode {
    const node: BlockNode = {
      hash: block.hash,
      header: block.header,
      height: parent === null ? 0 : parent.height + 1,
      parent,
      children: [],
      txCount: block.transactions.length,
      medianTimePast: medianTime(block.header.time, parent),
      arrival: this.nodes.size,
      invalidated: false,
      spent: [],
    }
    this.nodes.set(node.hash, node)
    parent?.children.push(node)
    return node
  }

  /** The tip with the most work among the branches without an invalidated block. */
  bestTip(): BlockNode {
    let best = this.genesis
    const open = [this.genesis]
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.invalidated) continue
      if (node.height > best.height || (node.height === best.height && node.arrival < best.arrival))
        best = node
      open.push(...node.children)
    }
    return best
  }
}

function medianTime(time: number, parent: BlockNode | null): number {
  const times = [time]
  for (let node = parent; node !== null && times.length < 11; node = node.parent) times.push(node.header.time)
  times.sort((a, b) => a - b)
  return times[times.length >> 1]!
}
