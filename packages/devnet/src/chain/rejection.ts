/**
 * Why a transaction is not taken: bitcoind's reject reason, with the error code of its `sendrawtransaction`.
 * -25 its inputs are missing, -26 it breaks a rule, -27 it is in the chain already.
 */
export type Rejection = { readonly rejected: string; readonly detail: string; readonly code: -25 | -26 | -27 }

export function reject(rejected: string, detail = '', code: Rejection['code'] = -26): Rejection {
  return { rejected, detail, code }
}

export function isRejection(value: unknown): value is Rejection {
  return typeof value === 'object' && value !== null && 'rejected' in value
}

/** As bitcoind's `state.ToString()` words it. */
export function describeRejection(rejection: Rejection): string {
  return rejection.detail === '' ? rejection.rejected : `${rejection.rejected}, ${rejection.detail}`
}
