import { sha256 } from '@noble/hashes/sha2.js'
import { displayHash } from './bytes.ts'

/** What the wallet needs of a transaction; amounts in sat. */
export type BlockTransaction = {
  readonly txid: string
  readonly raw: Uint8Array
  /** `txid:vout` of what it spends. */
  readonly spends: readonly string[]
  readonly outputs: readonly { amountSat: bigint; script: Uint8Array }[]
}

/** Splits a serialised block (BIP-141 form) into its transactions. */
export function parseBlock(block: Uint8Array): BlockTransaction[] {
  const reader = new Reader(block)
  reader.take(80)
  const count = reader.varint()
  const transactions: BlockTransaction[] = []
  for (let i = 0; i < count; i++) transactions.push(parseTransaction(reader))
  if (reader.at !== block.length) throw new Error('A block has bytes after its last transaction.')
  return transactions
}

export function txidOf(raw: Uint8Array): string {
  return parseTransaction(new Reader(raw)).txid
}

/** Every item of the witnesses of a transaction's inputs (BIP-141). */
export function witnessOf(raw: Uint8Array): Uint8Array[] {
  const items: Uint8Array[] = []
  parseTransaction(new Reader(raw), (item) => items.push(item))
  return items
}

function parseTransaction(reader: Reader, hearItem?: (item: Uint8Array) => void): BlockTransaction {
  const start = reader.at
  const version = reader.take(4)
  // BIP-144: a zero where the input count would be marks the witness form.
  const witness = reader.peek() === 0
  if (witness) reader.take(2)
  const bodyStart = reader.at
  const spends: string[] = []
  for (let inputs = reader.varint(); inputs > 0; inputs--) {
    spends.push(`${displayHash(reader.take(32))}:${reader.uint32()}`)
    reader.take(reader.varint())
    reader.take(4)
  }
  const outputs: { amountSat: bigint; script: Uint8Array }[] = []
  const outputsCount = reader.varint()
  for (let i = 0; i < outputsCount; i++) {
    const amountSat = reader.uint64()
    outputs.push({ amountSat, script: reader.take(reader.varint()) })
  }
  const bodyEnd = reader.at
  if (witness)
    for (let i = 0; i < spends.length; i++)
      for (let items = reader.varint(); items > 0; items--) {
        const item = reader.take(reader.varint())
        hearItem?.(item)
      }
  const lockTime = reader.take(4)
  const stripped = sha256.create()
  stripped.update(version).update(reader.between(bodyStart, bodyEnd)).update(lockTime)
  return {
    txid: displayHash(sha256(stripped.digest())),
    raw: reader.between(start, reader.at),
    spends,
    outputs,
  }
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  take(length: number): Uint8Array {
    if (this.at + length > this.#bytes.length) throw new Error('A transaction is cut short.')
    const taken = this.#bytes.subarray(this.at, this.at + length)
    this.at += length
    return taken
  }

  between(from: number, to: number): Uint8Array {
    return this.#bytes.subarray(from, to)
  }

  peek(): number {
    return this.#view.getUint8(this.at)
  }

  uint32(): number {
    this.at += 4
    return this.#view.getUint32(this.at - 4, true)
  }

  uint64(): bigint {
    this.at += 8
    return this.#view.getBigUint64(this.at - 8, true)
  }

  /** Bitcoin's CompactSize. */
  varint(): number {
    const first = this.#view.getUint8(this.at++)
    if (first < 0xfd) return first
    if (first === 0xfd) {
      this.at += 2
      return this.#view.getUint16(this.at - 2, true)
    }
    if (first === 0xfe) return this.uint32()
    const value = this.uint64()
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error('A count in a transaction is absurd.')
    return Number(value)
  }
}
