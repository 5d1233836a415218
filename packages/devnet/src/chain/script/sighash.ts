import { createHash } from 'node:crypto'
import { hash256, i64, sha256, u32, varBytes } from '../bytes.ts'
import { encodeOutpoint, encodeOutput, type TxBody, type TxOutput } from '../transaction.ts'

export const SIGHASH = { DEFAULT: 0, ALL: 1, NONE: 2, SINGLE: 3, ANYONECANPAY: 0x80 } as const
const ZERO_HASH = Buffer.alloc(32)

/** BIP-143. `scriptCode` is the witness script, or P2PKH of the key hash for P2WPKH; `value` in satoshi. */
export function segwitV0Sighash(
  tx: TxBody,
  inputIndex: number,
  spent: { scriptCode: Uint8Array; value: bigint },
  sighashType: number,
): Buffer {
  const input = tx.inputs[inputIndex]!
  const base = sighashType & 0x1f
  const anyoneCanPay = (sighashType & SIGHASH.ANYONECANPAY) !== 0
  const commitsToAllOutputs = base !== SIGHASH.NONE && base !== SIGHASH.SINGLE
  const single = tx.outputs[inputIndex]
  const outputs = commitsToAllOutputs
    ? hash256(...tx.outputs.map(encodeOutput))
    : base === SIGHASH.SINGLE && single !== undefined
      ? hash256(encodeOutput(single))
      : ZERO_HASH
  return hash256(
    u32(tx.version),
    anyoneCanPay ? ZERO_HASH : hash256(...tx.inputs.map(encodeOutpoint)),
    anyoneCanPay || !commitsToAllOutputs ? ZERO_HASH : hash256(...tx.inputs.map((i) => u32(i.sequence))),
    encodeOutpoint(input),
    varBytes(spent.scriptCode),
    i64(spent.value),
    u32(input.sequence),
    outputs,
    u32(tx.lockTime),
    u32(sighashType),
  )
}

/** BIP-341, key path, without annex. `null` for a type that the BIP does not define, or SINGLE without its output. */
export function taprootKeySighash(
  tx: TxBody,
  inputIndex: number,
  spentOutputs: readonly TxOutput[],
  sighashType: number,
): Buffer | null {
  const base = sighashType & 3
  const anyoneCanPay = (sighashType & SIGHASH.ANYONECANPAY) !== 0
  if ((sighashType & ~(SIGHASH.ANYONECANPAY | 3)) !== 0 || sighashType === SIGHASH.ANYONECANPAY) return null
  if (base === SIGHASH.SINGLE && tx.outputs[inputIndex] === undefined) return null
  const input = tx.inputs[inputIndex]!
  const parts: Buffer[] = [Buffer.from([0, sighashType]), u32(tx.version), u32(tx.lockTime)]
  if (!anyoneCanPay) {
    parts.push(
      sha256(Buffer.concat(tx.inputs.map(encodeOutpoint))),
      sha256(Buffer.concat(spentOutputs.map((output) => i64(output.value)))),
      sha256(Buffer.concat(spentOutputs.map((output) => varBytes(output.script)))),
      sha256(Buffer.concat(tx.inputs.map((i) => u32(i.sequence)))),
    )
  }
  if (base !== SIGHASH.NONE && base !== SIGHASH.SINGLE) {
    parts.push(sha256(Buffer.concat(tx.outputs.map(encodeOutput))))
  }
  parts.push(Buffer.from([0]))
  if (anyoneCanPay) {
    parts.push(encodeOutpoint(input), encodeOutput(spentOutputs[inputIndex]!), u32(input.sequence))
  } else {
    parts.push(u32(inputIndex))
  }
  if (base === SIGHASH.SINGLE) parts.push(sha256(encodeOutput(tx.outputs[inputIndex]!)))
  return taggedHash('TapSighash', Buffer.concat(parts))
}

function taggedHash(tag: string, message: Uint8Array): Buffer {
  const prefix = sha256(Buffer.from(tag, 'ascii'))
  return createHash('sha256').update(prefix).update(prefix).update(message).digest()
}
