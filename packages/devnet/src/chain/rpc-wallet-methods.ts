import { Address, OutScript } from '@scure/btc-signer'
import type { Regtest } from './regtest.ts'
import { describeRejection } from './rejection.ts'
import type { RpcArguments } from './rpc-arguments.ts'
import { RPC_CODE, RpcFailure } from './rpc-failure.ts'
import type { RpcMethod } from './rpc-methods.ts'
import { addressOf, btcNumber, REGTEST_NETWORK } from './rpc-views.ts'
import { dustThreshold } from './script/output-script.ts'
import { InsufficientFunds } from './wallet.ts'

/** bitcoind's fallback fee on regtest, 0.0002 BTC per 1000 vbytes. */
const FALLBACK_SAT_PER_KVB = 20_000n

/** Mining, and the one wallet, which stays loaded once it was created. */
export const walletMethods = {
  generatetoaddress: {
    params: ['nblocks', 'address', 'maxtries'],
    run(regtest, args) {
      const count = args.integer('nblocks')
      if (count > 10_000)
        throw new RpcFailure(
          RPC_CODE.invalidParameter,
          'The devnet chain mines at most 10000 blocks at a time.',
        )
      const script = scriptOf(args.text('address'), 'Error: Invalid address')
      return Array.from({ length: Math.max(count, 0) }, () => regtest.mine(script).hash)
    },
  },
  createwallet: {
    params: ['wallet_name'],
    run(regtest, args) {
      const name = args.text('wallet_name')
      if (regtest.wallet.name === name) {
        throw new RpcFailure(
          RPC_CODE.walletError,
          `Wallet file verification failed. Failed to create database path '${name}'. Database already exists.`,
        )
      }
      if (regtest.wallet.name !== null) {
        throw new RpcFailure(
          RPC_CODE.walletError,
          `The devnet chain has one wallet only, "${regtest.wallet.name}".`,
        )
      }
      regtest.wallet.create(name)
      return { name }
    },
  },
  loadwallet: {
    params: ['filename', 'load_on_startup'],
    run(regtest, args) {
      const name = args.text('filename')
      if (regtest.wallet.name === name) {
        throw new RpcFailure(RPC_CODE.walletAlreadyLoaded, `Wallet "${name}" is already loaded.`)
      }
      throw new RpcFailure(
        RPC_CODE.walletNotFound,
        `Wallet file verification failed. Failed to load database path '${name}'. Path does not exist.`,
      )
    },
  },
  listwallets: {
    params: [],
    run: ({ wallet }) => (wallet.name === null ? [] : [wallet.name]),
  },
  getnewaddress: {
    params: ['label', 'address_type'],
    run(regtest, args) {
      const wallet = loadedWallet(regtest, args)
      const type = args.has('address_type') ? args.text('address_type') : 'bech32'
      if (type !== 'bech32')
        throw new RpcFailure(RPC_CODE.invalidAddressOrKey, `Unknown address type '${type}'`)
      return addressOf(wallet.newScript())
    },
  },
  getbalance: { params: [], run: (regtest, args) => btcNumber(loadedWallet(regtest, args).balance()) },
  sendtoaddress: {
    params: [
      'address',
      'amount',
      'comment',
      'comment_to',
      'subtractfeefromamount',
      'replaceable',
      'conf_target',
      'estimate_mode',
      'avoid_reuse',
      'fee_rate',
    ],
    run(regtest, args) {
      const wallet = loadedWallet(regtest, args)
      const address = args.text('address')
      const value = args.amount('amount')
      const script = scriptOf(address, `Invalid Bitcoin address: ${address}`)
      if (value < dustThreshold(script)) {
        throw new RpcFailure(RPC_CODE.insufficientFunds, 'Transaction amount too small')
      }
      return send(regtest, wallet, { value, script }, args)
    },
  },
} satisfies Record<string, RpcMethod>

function send(
  regtest: Regtest,
  wallet: Regtest['wallet'],
  output: { value: bigint; script: Uint8Array },
  args: RpcArguments,
): string {
  try {
    const subtractFee = args.boolean('subtractfeefromamount', false)
    const satPerKvb = args.has('fee_rate') ? args.feeRate('fee_rate') : FALLBACK_SAT_PER_KVB
    const tx = wallet.pay(output, { satPerKvb, subtractFee })
    const rejection = regtest.submit(tx)
    if (rejection === null) return tx.txid
    throw new RpcFailure(RPC_CODE.walletError, `The transaction was refused: ${describeRejection(rejection)}`)
  } catch (fault) {
    if (fault instanceof InsufficientFunds) throw new RpcFailure(RPC_CODE.insufficientFunds, fault.message)
    throw fault
  }
}

function loadedWallet(regtest: Regtest, args: RpcArguments): Regtest['wallet'] {
  const { name } = regtest.wallet
  if (args.wallet !== null && args.wallet !== name) {
    throw new RpcFailure(RPC_CODE.walletNotFound, 'Requested wallet does not exist or is not loaded')
  }
  if (name !== null) return regtest.wallet
  throw new RpcFailure(
    RPC_CODE.walletNotFound,
    'No wallet is loaded. Load a wallet using loadwallet or create a new one with createwallet. (Note: A default wallet is no longer automatically created)',
  )
}

function scriptOf(address: string, complaint: string): Uint8Array {
  try {
    return OutScript.encode(Address(REGTEST_NETWORK).decode(address))
  } catch (cause) {
    const failure = new RpcFailure(RPC_CODE.invalidAddressOrKey, complaint)
    failure.cause = cause
    throw failure
  }
}
