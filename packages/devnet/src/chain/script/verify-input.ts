import { schnorr } from '@noble/curves/secp256k1.js'
import { ripemd160 } from '@noble/hashes/legacy.js'
import { sha256 } from '../bytes.ts'
import type { Transaction, TxOutput } from '../transaction.ts'
import { runWitnessScript, ScriptFailure } from './interpreter.ts'
import { outputKind } from './output-script.ts'
import { taprootKeySighash } from './sighash.ts'

const MAX_WITNESS_SCRIPT_BYTES = 3600

/**
 * Checks that every input may spend its output: P2WPKH, P2WSH and P2TR by key. Anything else is refused rather than
 * believed. Answers which input fails first and why, in bitcoind's words, or `null`.
 */
export function verifyInputs(
  tx: Transaction,
  spentOutputs: readonly TxOutput[],
): { inputIndex: number; reason: string } | null {
  for (const [index, spent] of spentOutputs.entries()) {
    try {
      verifyInput(tx, index, spent, spentOutputs)
    } catch (failure) {
      if (failure instanceof ScriptFailure) return { inputIndex: index, reason: failure.message }
      throw failure
    }
  }
  return null
}

function verifyInput(
  tx: Transaction,
  index: number,
  spent: TxOutput,
  spentOutputs: readonly TxOutput[],
): void {
  const { witness, scriptSig } = tx.inputs[index]!
  const program = spent.script.subarray(2)
  const kind = outputKind(spent.script)
  if (kind.startsWith('witness') && scriptSig.length > 0) {
    throw new ScriptFailure('Witness requires empty scriptSig')
  }
  const context = { tx, inputIndex: index, value: spent.value }
  if (kind === 'witness_v0_keyhash') {
    if (witness.length !== 2) throw new ScriptFailure('Witness program hash mismatch')
    runWitnessScript(payToKeyHash(program), witness, context)
  } else if (kind === 'witness_v0_scripthash') {
    const script = witness.at(-1)
    if (script === undefined) throw new ScriptFailure('Witness program was passed an empty witness')
    if (!sha256(script).equals(program)) throw new ScriptFailure('Witness program hash mismatch')
    if (script.length > MAX_WITNESS_SCRIPT_BYTES) throw new ScriptFailure('Script is too big')
    runWitnessScript(script, witness.slice(0, -1), context)
  } else if (kind === 'witness_v1_taproot') {
    verifyTaprootKeyPath(tx, index, program, spentOutputs)
  } else {
    throw new ScriptFailure(`The devnet chain cannot verify spending a ${kind} output`)
  }
}

/** The script code of P2WPKH (BIP-143). */
export function payToKeyHash(keyHash: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('76a914', 'hex'), keyHash, Buffer.from('88ac', 'hex')])
}

export function keyHash(publicKey: Uint8Array): Uint8Array {
  return ripemd160(sha256(publicKey))
}

/** BIP-341: one witness element, 64 bytes for SIGHASH_DEFAULT or 65 with another type. */
function verifyTaprootKeyPath(
  tx: Transaction,
  index: number,
  outputKey: Uint8Array,
  spentOutputs: readonly TxOutput[],
): void {
  const [signature, more] = tx.inputs[index]!.witness
  if (signature === undefined) throw new ScriptFailure('Witness program was passed an empty witness')
  if (more !== undefined) throw new ScriptFailure('The devnet chain cannot verify the script path of Taproot')
  if (signature.length !== 64 && signature.length !== 65)
    throw new ScriptFailure('Invalid Schnorr signature size')
  const sighashType = signature[64] ?? 0
  const digest =
    signature.length === 65 && sighashType === 0
      ? null
      : taprootKeySighash(tx, index, spentOutputs, sighashType)
  if (digest === null) throw new ScriptFailure('Invalid Schnorr signature hash type')
  if (!schnorr.verify(signature.subarray(0, 64), digest, outputKey))
    throw new ScriptFailure('Invalid Schnorr signature')
}
