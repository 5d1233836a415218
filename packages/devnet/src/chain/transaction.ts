import {
  ByteReader,
  compactSize,
  displayHash,
  hash256,
  hashFromDisplay,
  i64,
  MalformedBytes,
  u32,
  varBytes,
} from './bytes.ts'

export type TxInput = {
  /** Display order, lower-case hex. */
  readonly txid: string
  readonly vout: number
  readonly scriptSig: Uint8Array
  readonly sequence: number
  readonly witness: readonly Uint8Array[]
}

/** `value` in satoshi. */
export type TxOutput = { readonly value: bigint; readonly script: Uint8Array }

export type TxBody = {
  readonly version: number
  readonly inputs: readonly TxInput[]
  readonly outputs: readonly TxOutput[]
  readonly lockTime: number
}

/** A transaction with its ids and sizes. `weight` is BIP-141's; `vsize` is weight / 4 rounded up. */
export type Transaction = TxBody & {
  readonly txid: string
  readonly wtxid: string
  readonly bytes: Buffer
  readonly baseSize: number
  readonly weight: number
  readonly vsize: number
}

const NULL_TXID = '0'.repeat(64)

export function isCoinbase(tx: TxBody): boolean {
  const [first, second] = tx.inputs
  return second === undefined && first !== undefined && first.txid === NULL_TXID && first.vout === 0xffff_ffff
}

export function outpointKey(outpoint: { txid: string; vout: number }): string {
  return `${outpoint.txid}:${outpoint.vout}`
}

/** Adds the ids and sizes to a transaction that we built ourselves. */
export function finishTransaction(body: TxBody): Transaction {
  const base = encodeBase(body)
  const hasWitness = body.inputs.some((input) => input.witness.length > 0)
  return withIds(body, base, hasWitness ? encodeWithWitness(body) : base)
}

/** Decodes exactly one transaction and nothing after it. Throws `MalformedBytes`. */
export function decodeTransaction(bytes: Uint8Array): Transaction {
  const reader = new ByteReader(bytes)
  const tx = readTransaction(reader)
  reader.expectEnd()
  return tx
}

/** BIP-144. Like bitcoind, refuses a marked witness that is empty throughout, and unknown flags. */
export function readTransaction(reader: ByteReader): Transaction {
  const start = reader.position
  const version = reader.u32()
  let inputCount = reader.compactSize()
  let marked = false
  if (inputCount === 0) {
    if (reader.u8() !== 1) throw new MalformedBytes('a transaction without inputs, or with an unknown flag')
    marked = true
    inputCount = reader.compactSize()
  }
  const bare = Array.from({ length: boundedBy(reader, inputCount, 41) }, () => readInput(reader))
  const outputs = Array.from({ length: boundedBy(reader, reader.compactSize(), 9) }, () => ({
    value: reader.i64(),
    script: Uint8Array.from(reader.varBytes()),
  }))
  const inputs = marked ? bare.map((input) => ({ ...input, witness: readWitness(reader) })) : bare
  if (marked && inputs.every((input) => input.witness.length === 0)) {
    throw new MalformedBytes('a superfluous witness')
  }
  const body = { version, inputs, outputs, lockTime: reader.u32() }
  const bytes = Buffer.from(reader.since(start))
  return withIds(body, marked ? encodeBase(body) : bytes, bytes)
}

function readInput(reader: ByteReader): TxInput {
  const txid = displayHash(reader.take(32))
  const vout = reader.u32()
  const scriptSig = Uint8Array.from(reader.varBytes())
  return { txid, vout, scriptSig, sequence: reader.u32(), witness: [] }
}

function readWitness(reader: ByteReader): Uint8Array[] {
  return Array.from({ length: boundedBy(reader, reader.compactSize(), 1) }, () =>
    Uint8Array.from(reader.varBytes()),
  )
}

/** A count that the remaining bytes cannot hold is refused before anything is allocated for it. */
function boundedBy(reader: ByteReader, count: number, leastBytesEach: number): number {
  if (count * leastBytesEach > reader.remaining) throw new MalformedBytes('the bytes end too early')
  return count
}

function withIds(body: TxBody, base: Buffer, bytes: Buffer): Transaction {
  const weight = base.length * 3 + bytes.length
  const txid = displayHash(hash256(base))
  return {
    ...body,
    txid,
    wtxid: base.length === bytes.length ? txid : displayHash(hash256(bytes)),
    bytes,
    baseSize: base.length,
    weight,
    vsize: Math.ceil(weight / 4),
  }
}

function encodeBase(tx: TxBody): Buffer {
  return Buffer.concat([u32(tx.version), ...encodeInputsAndOutputs(tx), u32(tx.lockTime)])
}

function encodeWithWitness(tx: TxBody): Buffer {
  const witnesses = tx.inputs.flatMap((input) => [
    compactSize(input.witness.length),
    ...input.witness.map(varBytes),
  ])
  const marker = Buffer.from([0, 1])
  return Buffer.concat([
    u32(tx.version),
    marker,
    ...encodeInputsAndOutputs(tx),
    ...witnesses,
    u32(tx.lockTime),
  ])
}

function encodeInputsAndOutputs(tx: TxBody): Buffer[] {
  return [
    compactSize(tx.inputs.length),
    ...tx.inputs.flatMap((input) => [encodeOutpoint(input), varBytes(input.scriptSig), u32(input.sequence)]),
    compactSize(tx.outputs.length),
    ...tx.outputs.map(encodeOutput),
  ]
}

export function encodeOutpoint(outpoint: { txid: string; vout: number }): Buffer {
  return Buffer.concat([hashFromDisplay(outpoint.txid), u32(outpoint.vout)])
}

export function encodeOutput(output: TxOutput): Buffer {
  return Buffer.concat([i64(output.value), varBytes(output.script)])
}
