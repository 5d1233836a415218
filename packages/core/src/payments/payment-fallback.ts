import type { RefusalCode } from '../refusals.ts'

/**
 * Whether a name that did not resolve may be asked for as a Lightning Address, if the payer wants that. Only when the
 * DNS has an instruction for nobody: it proves that there is none, or that its zone proves nothing. A wrong signature,
 * a DNS that is silent or a record that is wrong may be somebody's attempt to have us ask elsewhere.
 */
export function mayFallBack(code: RefusalCode): boolean {
  return code === 'RESOLVE_NO_SUCH_NAME' || code === 'RESOLVE_NO_INSTRUCTION' || code === 'RESOLVE_UNSIGNED'
}
