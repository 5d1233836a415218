import type { BitcoinRpc, Header } from './bitcoin-rpc.ts'
import { type BlockTransaction, parseBlock } from './block.ts'

export type ConnectedBlock = Header & { bytes: Uint8Array; transactions: BlockTransaction[] }
export type ChainPath = {
  /** Newest first. */
  disconnect: Header[]
  /** Oldest first. */
  connect: Header[]
}

/** The way from one block to another: down to their last common ancestor, then up. */
export async function chainPath(rpc: BitcoinRpc, from: string, to: string): Promise<ChainPath> {
  const disconnect: Header[] = []
  const connect: Header[] = []
  let low = await rpc.header(from)
  let high = await rpc.header(to)
  while (low.hash !== high.hash) {
    if (low.height >= high.height) {
      disconnect.push(low)
      low = await rpc.header(parentOf(low))
    } else {
      connect.push(high)
      high = await rpc.header(parentOf(high))
    }
  }
  return { disconnect, connect: connect.reverse() }
}

export async function withBlock(rpc: BitcoinRpc, header: Header): Promise<ConnectedBlock> {
  const bytes = await rpc.block(header.hash)
  return { ...header, bytes, transactions: parseBlock(bytes) }
}

function parentOf(header: Header): string {
  if (header.previous === null)
    throw new Error('Two blocks have different genesis blocks: this is another chain.')
  return header.previous
}
