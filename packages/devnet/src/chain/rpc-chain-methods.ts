import { decodeBlock, encodeHeader, regtestGenesis } from './block.ts'
import type { BlockNode } from './block-tree.ts'
import type { Regtest } from './regtest.ts'
import type { RpcArguments } from './rpc-arguments.ts'
import { RPC_CODE, RpcFailure } from './rpc-failure.ts'
import type { RpcMethod } from './rpc-methods.ts'
import { viewChain, viewHeader, viewTransaction } from './rpc-views.ts'

/** Blocks and the chain of them. */
export const chainMethods = {
  getblockchaininfo: { params: [], run: (regtest) => viewChain(regtest) },
  getbestblockhash: { params: [], run: (regtest) => regtest.chain.tip.hash },
  getblockcount: { params: [], run: (regtest) => regtest.chain.tip.height },
  getblockhash: {
    params: ['height'],
    run(regtest, args) {
      const node = regtest.chain.at(args.integer('height'))
      if (node === undefined) throw new RpcFailure(RPC_CODE.invalidParameter, 'Block height out of range')
      return node.hash
    },
  },
  getblockheader: {
    params: ['blockhash', 'verbose'],
    run(regtest, args) {
      const node = blockNamed(regtest, args, 'blockhash')
      if (!args.boolean('verbose', true)) return encodeHeader(node.header).toString('hex')
      return viewHeader(regtest.chain, node)
    },
  },
  getblock: {
    params: ['blockhash', 'verbosity'],
    run(regtest, args) {
      const verbosity = args.verbosity('verbosity', 1)
      const node = blockNamed(regtest, args, 'blockhash')
      const bytes = node.parent === null ? regtestGenesis().bytes : regtest.blockBytes(node.hash)
      return verbosity <= 0 ? bytes.toString('hex') : viewBlock(regtest, node, bytes, verbosity > 1)
    },
  },
  invalidateblock: {
    params: ['blockhash'],
    run(regtest, args) {
      const node = blockNamed(regtest, args, 'blockhash')
      if (node.parent === null)
        throw new RpcFailure(RPC_CODE.invalidParameter, 'The genesis block is always valid')
      regtest.invalidate(node)
      return null
    },
  },
  reconsiderblock: {
    params: ['blockhash'],
    run(regtest, args) {
      regtest.reconsider(blockNamed(regtest, args, 'blockhash'))
      return null
    },
  },
  getnetworkinfo: {
    params: [],
    run: () => ({
      version: 290000,
      subversion: '/holdfast-devnet:0.1.0/',
      protocolversion: 70016,
      connections: 0,
      networkactive: false,
      relayfee: 0.00001,
      incrementalfee: 0.00001,
      warnings: [],
    }),
  },
  setmocktime: {
    params: ['timestamp'],
    run(regtest, args) {
      const seconds = args.integer('timestamp')
      if (seconds < 0 || seconds > 0xffff_ffff) {
        throw new RpcFailure(
          RPC_CODE.invalidParameter,
          `Mocktime must be in the range [0, ${0xffff_ffff}], not ${seconds}.`,
        )
      }
      regtest.setMockTime(seconds)
      return null
    },
  },
} satisfies Record<string, RpcMethod>

export function blockNamed(regtest: Regtest, args: RpcArguments, parameter: string): BlockNode {
  const node = regtest.chain.tree.get(args.hash(parameter))
  if (node === undefined) throw new RpcFailure(RPC_CODE.invalidAddressOrKey, 'Block not found')
  return node
}

function viewBlock(regtest: Regtest, node: BlockNode, bytes: Buffer, withTransactions: boolean) {
  const { transactions } = decodeBlock(bytes)
  const witnessBytes = transactions.reduce((sum, tx) => sum + tx.bytes.length - tx.baseSize, 0)
  const strippedsize = bytes.length - witnessBytes
  return {
    ...viewHeader(regtest.chain, node),
    strippedsize,
    size: bytes.length,
    weight: strippedsize * 3 + bytes.length,
    tx: transactions.map((tx) => (withTransactions ? viewTransaction(tx) : tx.txid)),
  }
}
