import type { TxBody } from '../transaction.ts'

/** Lock times below are block heights, from here on seconds since 1970. */
export const LOCK_TIME_THRESHOLD = 500_000_000
export const SEQUENCE_FINAL = 0xffff_ffff
/** BIP-68's bits of a sequence number. */
export const SEQUENCE_DISABLE = 0x8000_0000
export const SEQUENCE_IS_TIME = 0x0040_0000
export const SEQUENCE_MASK = 0xffff

type Context = { readonly tx: TxBody; readonly inputIndex: number }

/** OP_CHECKLOCKTIMEVERIFY, BIP-65. `null` when satisfied. */
export function checkLockTime({ tx, inputIndex }: Context, wanted: bigint): string | null {
  if (wanted < 0n) return 'Negative locktime'
  const unsatisfied = 'Locktime requirement not satisfied'
  const wantedIsTime = wanted >= LOCK_TIME_THRESHOLD
  if (wantedIsTime !== tx.lockTime >= LOCK_TIME_THRESHOLD) return unsatisfied
  if (wanted > BigInt(tx.lockTime)) return unsatisfied
  return tx.inputs[inputIndex]!.sequence === SEQUENCE_FINAL ? unsatisfied : null
}

/** OP_CHECKSEQUENCEVERIFY, BIP-112. `null` when satisfied. */
export function checkSequence({ tx, inputIndex }: Context, wanted: bigint): string | null {
  if (wanted < 0n) return 'Negative locktime'
  if (wanted & BigInt(SEQUENCE_DISABLE)) return null
  const unsatisfied = 'Locktime requirement not satisfied'
  const sequence = BigInt(tx.inputs[inputIndex]!.sequence)
  if (tx.version < 2 || sequence & BigInt(SEQUENCE_DISABLE)) return unsatisfied
  const mask = BigInt(SEQUENCE_IS_TIME | SEQUENCE_MASK)
  const [needs, has] = [wanted & mask, sequence & mask]
  if (needs >= SEQUENCE_IS_TIME !== has >= SEQUENCE_IS_TIME) return unsatisfied
  return needs > has ? unsatisfied : null
}
