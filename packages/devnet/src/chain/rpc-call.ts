import type { Regtest } from './regtest.ts'
import { RpcArguments } from './rpc-arguments.ts'
import { RPC_CODE, RpcFailure } from './rpc-failure.ts'
import { RPC_METHODS, type RpcMethod } from './rpc-methods.ts'

/** One answer. `version` 2 follows JSON-RPC 2.0; 1 is bitcoind's older form, which always has both fields. */
export type RpcAnswer = {
  readonly version: 1 | 2
  /** As it was given. Absent in a notification, to which JSON-RPC 2.0 gives no answer. */
  readonly id: unknown
  readonly outcome: { readonly result: unknown } | { readonly error: { code: number; message: string } }
}

/**
 * Performs one request object. `wallet` is the one that the address named, if any. What is not a failure of the caller
 * is thrown on.
 */
export function performCall(regtest: Regtest, request: unknown, wallet: string | null): RpcAnswer {
  let version: 1 | 2 = 1
  let id: unknown = null
  try {
    if (typeof request !== 'object' || request === null || Array.isArray(request)) {
      throw new RpcFailure(RPC_CODE.invalidRequest, 'Invalid Request object')
    }
    const { jsonrpc, method, params } = request as Record<string, unknown>
    id = (request as { id?: unknown }).id
    if (jsonrpc === '2.0') version = 2
    if (method === undefined || method === null)
      throw new RpcFailure(RPC_CODE.invalidRequest, 'Missing method')
    if (typeof method !== 'string') throw new RpcFailure(RPC_CODE.invalidRequest, 'Method must be a string')
    const found = RPC_METHODS.get(method)
    if (found === undefined) throw new RpcFailure(RPC_CODE.methodNotFound, 'Method not found')
    const args = new RpcArguments(found.params, nameParams(found, method, params), wallet)
    const result = found.run(regtest, args)
    return { version, id, outcome: { result } }
  } catch (fault) {
    if (!(fault instanceof RpcFailure)) throw fault
    return { version, id, outcome: { error: { code: fault.code, message: fault.message } } }
  }
}

function nameParams(method: RpcMethod, name: string, params: unknown): Record<string, unknown> {
  if (params === undefined || params === null) return {}
  if (typeof params !== 'object')
    throw new RpcFailure(RPC_CODE.invalidRequest, 'Params must be an array or object')
  if (!Array.isArray(params)) {
    for (const key of Object.keys(params)) {
      if (!method.params.includes(key)) {
        throw new RpcFailure(RPC_CODE.invalidParameter, `Unknown named parameter ${key}`)
      }
    }
    return params as Record<string, unknown>
  }
  if (params.length > method.params.length) {
    throw new RpcFailure(RPC_CODE.misc, [name, ...method.params].join(' '))
  }
  return Object.fromEntries(params.map((value, i) => [method.params[i]!, value]))
}

/** A notification: JSON-RPC 2.0 answers it with silence. */
export function isNotification({ version, id }: RpcAnswer): boolean {
  return version === 2 && id === undefined
}

/** The HTTP status that bitcoind gives to a single call. */
export function httpStatus({ version, outcome }: RpcAnswer): number {
  if (version === 2 || 'result' in outcome) return 200
  if (outcome.error.code === RPC_CODE.invalidRequest) return 400
  return outcome.error.code === RPC_CODE.methodNotFound ? 404 : 500
}

export function answerBody({ version, id, outcome }: RpcAnswer): unknown {
  if (version === 2) return { jsonrpc: '2.0', ...outcome, id }
  return 'result' in outcome ? { ...outcome, error: null, id } : { result: null, ...outcome, id }
}
