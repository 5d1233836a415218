import type { Regtest } from './regtest.ts'
import type { RpcArguments } from './rpc-arguments.ts'
import { chainMethods } from './rpc-chain-methods.ts'
import { transactionMethods } from './rpc-transaction-methods.ts'
import { walletMethods } from './rpc-wallet-methods.ts'

/** One method: the names of its parameters in their order, and what it does. It runs to its end without waiting. */
export type RpcMethod = {
  readonly params: readonly string[]
  run(regtest: Regtest, args: RpcArguments): unknown
}

/** Every method that the chain serves; anything else is answered with -32601. */
export const RPC_METHODS: ReadonlyMap<string, RpcMethod> = new Map(
  Object.entries<RpcMethod>({ ...chainMethods, ...transactionMethods, ...walletMethods }),
)
