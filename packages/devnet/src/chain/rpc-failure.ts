/** The error codes of bitcoind's `rpc/protocol.h` that the chain answers with. */
export const RPC_CODE = {
  misc: -1,
  typeError: -3,
  walletError: -4,
  invalidAddressOrKey: -5,
  insufficientFunds: -6,
  invalidParameter: -8,
  walletNotFound: -18,
  deserialization: -22,
  verifyError: -25,
  walletAlreadyLoaded: -35,
  invalidRequest: -32600,
  methodNotFound: -32601,
  parseError: -32700,
} as const

/** What a method answers instead of a result. */
export class RpcFailure extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.name = 'RpcFailure'
    this.code = code
  }
}
