import { MalformedBytes } from './bytes.ts'
import type { Regtest } from './regtest.ts'
import { describeRejection, isRejection, type Rejection } from './rejection.ts'
import type { RpcArguments } from './rpc-arguments.ts'
import { blockNamed } from './rpc-chain-methods.ts'
import { RPC_CODE, RpcFailure } from './rpc-failure.ts'
import type { RpcMethod } from './rpc-methods.ts'
import { btcNumber, viewScript, viewTransaction } from './rpc-views.ts'
import { decodeTransaction, type Transaction } from './transaction.ts'
import { feeFor, largestBurn, MIN_RELAY_SAT_PER_KVB } from './transaction-rules.ts'

/** bitcoind's default `maxfeerate`: 0.1 BTC per 1000 vbytes, in satoshi. */
const DEFAULT_MAX_FEE_RATE = 10_000_000n
const SATOSHI_PER_BITCOIN = 100_000_000n

/** Transactions, mempool, coins and fees. */
export const transactionMethods = {
  sendrawtransaction: {
    params: ['hexstring', 'maxfeerate', 'maxburnamount'],
    run(regtest, args) {
      const hex = args.text('hexstring')
      const maxRate = maxFeeRate(args)
      const maxBurn = args.amount('maxburnamount', 0n)
      const tx = transactionFromHex(hex)
      if (largestBurn(tx) > maxBurn) {
        throw new RpcFailure(
          RPC_CODE.verifyError,
          'Unspendable output exceeds maximum configured by user (maxburnamount)',
        )
      }
      const checked = regtest.mempool.get(tx.txid) ?? regtest.mempool.check(tx)
      if (isRejection(checked)) throw refused(checked)
      const fee = 'entry' in checked ? checked.entry.fee : checked.fee
      if (exceeds(maxRate, tx, fee)) {
        throw new RpcFailure(
          RPC_CODE.verifyError,
          'Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)',
        )
      }
      const rejection = regtest.submit(tx)
      if (rejection !== null) throw refused(rejection)
      return tx.txid
    },
  },
  testmempoolaccept: {
    params: ['rawtxs', 'maxfeerate'],
    run(regtest, args) {
      const [hex, ...more] = args.texts('rawtxs')
      const maxRate = maxFeeRate(args)
      if (hex === undefined || more.length > 24) {
        throw new RpcFailure(RPC_CODE.invalidParameter, 'Array must contain between 1 and 25 transactions.')
      }
      if (more.length > 0) {
        throw new RpcFailure(RPC_CODE.invalidParameter, 'The devnet chain tests one transaction at a time.')
      }
      const tx = transactionFromHex(hex)
      const { txid, wtxid } = tx
      const checked = regtest.mempool.check(tx)
      if (isRejection(checked)) return [{ txid, wtxid, allowed: false, 'reject-reason': testReason(checked) }]
      const { fee } = checked.entry
      if (exceeds(maxRate, tx, fee))
        return [{ txid, wtxid, allowed: false, 'reject-reason': 'max-fee-exceeded' }]
      return [{ txid, wtxid, allowed: true, vsize: tx.vsize, fees: { base: btcNumber(fee) } }]
    },
  },
  getrawtransaction: {
    params: ['txid', 'verbosity', 'blockhash'],
    run(regtest, args) {
      const verbosity = args.verbosity('verbosity', 0)
      const found = findTransaction(regtest, args)
      if (verbosity <= 0) return found.tx.bytes.toString('hex')
      return { ...viewTransaction(found.tx), ...confirmationOf(regtest, found.tx) }
    },
  },
  gettxout: {
    params: ['txid', 'n', 'include_mempool'],
    run(regtest, args) {
      const outpoint = { txid: args.hash('txid'), vout: args.unsigned('n') }
      const withMempool = args.boolean('include_mempool', true)
      const { chain, mempool } = regtest
      if (withMempool && mempool.spender(outpoint) !== undefined) return null
      const coin = chain.utxo.get(outpoint)
      const unconfirmed = withMempool ? mempool.get(outpoint.txid)?.tx.outputs[outpoint.vout] : undefined
      const output = coin?.output ?? unconfirmed
      if (output === undefined) return null
      return {
        bestblock: chain.tip.hash,
        confirmations: coin === undefined ? 0 : chain.tip.height - coin.height + 1,
        value: btcNumber(output.value),
        scriptPubKey: viewScript(output.script),
        coinbase: coin?.isCoinbase ?? false,
      }
    },
  },
  getrawmempool: { params: [], run: ({ mempool }) => [...mempool.all()].map((entry) => entry.tx.txid) },
  getmempoolinfo: {
    params: [],
    run: ({ mempool }) => ({
      loaded: true,
      size: mempool.size,
      bytes: mempool.vsize,
      mempoolminfee: btcNumber(MIN_RELAY_SAT_PER_KVB),
      minrelaytxfee: btcNumber(MIN_RELAY_SAT_PER_KVB),
      incrementalrelayfee: btcNumber(MIN_RELAY_SAT_PER_KVB),
      fullrbf: true,
    }),
  },
  estimatesmartfee: {
    params: ['conf_target', 'estimate_mode'],
    /** What a bitcoind on regtest answers until it has seen a market of fees: callers need a fallback anyway. */
    run(_regtest, args) {
      const target = args.integer('conf_target')
      if (target < 1 || target > 1008) {
        throw new RpcFailure(RPC_CODE.invalidParameter, 'Invalid conf_target, must be between 1 and 1008')
      }
      return { errors: ['Insufficient data or no feerate found'], blocks: 0 }
    },
  },
} satisfies Record<string, RpcMethod>

function transactionFromHex(hex: string): Transaction {
  const undecodable = new RpcFailure(
    RPC_CODE.deserialization,
    'TX decode failed. Make sure the tx has at least one input.',
  )
  if (!/^([0-9a-fA-F]{2})+$/.test(hex)) throw undecodable
  try {
    return decodeTransaction(Buffer.from(hex, 'hex'))
  } catch (fault) {
    if (fault instanceof MalformedBytes) throw undecodable
    throw fault
  }
}

function refused(rejection: Rejection): RpcFailure {
  if (rejection.code === -27) return new RpcFailure(-27, 'Transaction outputs already in utxo set')
  return new RpcFailure(rejection.code, describeRejection(rejection))
}

/** `testmempoolaccept` has a word of its own for missing inputs. */
function testReason(rejection: Rejection): string {
  return rejection.code === -25 ? 'missing-inputs' : rejection.rejected
}

/** Satoshi per 1000 vbytes; 0 means no limit. */
function maxFeeRate(args: RpcArguments): bigint {
  const limit = args.amount('maxfeerate', DEFAULT_MAX_FEE_RATE)
  if (limit < SATOSHI_PER_BITCOIN) return limit
  throw new RpcFailure(
    RPC_CODE.invalidParameter,
    'Fee rates larger than or equal to 1BTC/kvB are not accepted',
  )
}

function exceeds(maxRate: bigint, tx: Transaction, fee: bigint): boolean {
  return maxRate > 0n && fee > feeFor(tx.vsize, maxRate)
}

function findTransaction(regtest: Regtest, args: RpcArguments): { tx: Transaction } {
  const txid = args.hash('txid')
  if (txid === regtest.chain.tree.genesis.header.merkleRoot) {
    throw new RpcFailure(
      RPC_CODE.invalidAddressOrKey,
      'The genesis block coinbase is not considered an ordinary transaction and cannot be retrieved',
    )
  }
  if (args.has('blockhash')) {
    const node = blockNamed(regtest, args, 'blockhash')
    const found = regtest.transactionIn(node, txid)
    if (found !== undefined) return { tx: found }
    throw new RpcFailure(
      RPC_CODE.invalidAddressOrKey,
      'No such transaction found in the provided block. Use gettransaction for wallet transactions.',
    )
  }
  const waiting = regtest.mempool.get(txid)
  if (waiting !== undefined) return waiting
  const node = regtest.chain.confirming(txid)
  const confirmed = node === undefined ? undefined : regtest.transactionIn(node, txid)
  if (confirmed !== undefined) return { tx: confirmed }
  throw new RpcFailure(
    RPC_CODE.invalidAddressOrKey,
    'No such mempool or blockchain transaction. Use gettransaction for wallet transactions.',
  )
}

function confirmationOf(regtest: Regtest, tx: Transaction): Record<string, unknown> {
  const node = regtest.chain.confirming(tx.txid)
  if (node === undefined) return {}
  const { time } = node.header
  return {
    blockhash: node.hash,
    confirmations: regtest.chain.confirmations(node),
    time,
    blocktime: time,
  }
}
