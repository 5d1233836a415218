import {
  ByteReader,
  compactSize,
  displayHash,
  hash256,
  hashFromDisplay,
  MalformedBytes,
  u32,
} from './bytes.ts'
import { finishTransaction, readTransaction, type Transaction } from './transaction.ts'

export type BlockHeader = {
  readonly version: number
  /** Display order. */
  readonly previousHash: string
  readonly merkleRoot: string
  /** Seconds since 1970. */
  readonly time: number
  readonly bits: number
  readonly nonce: number
}

export type Block = {
  readonly hash: string
  readonly header: BlockHeader
  readonly transactions: readonly Transaction[]
  readonly bytes: Buffer
}

const HEADER_BYTES = 80
export const MAX_BLOCK_WEIGHT = 4_000_000
/** Regtest's compact target 0x207fffff: every second hash is small enough. */
export const REGTEST_BITS = 0x207f_ffff
const SATOSHI_PER_BITCOIN = 100_000_000n
const REGTEST_HALVING_INTERVAL = 150

/** What a block at `height` may create, in satoshi, apart from its fees. */
export function blockSubsidy(height: number): bigint {
  return (50n * SATOSHI_PER_BITCOIN) >> BigInt(Math.floor(height / REGTEST_HALVING_INTERVAL))
}

export function encodeHeader(header: BlockHeader): Buffer {
  return Buffer.concat([
    u32(header.version),
    hashFromDisplay(header.previousHash),
    hashFromDisplay(header.merkleRoot),
    u32(header.time),
    u32(header.bits),
    u32(header.nonce),
  ])
}

function readHeader(reader: ByteReader): BlockHeader {
  return {
    version: reader.u32(),
    previousHash: displayHash(reader.take(32)),
    merkleRoot: displayHash(reader.take(32)),
    time: reader.u32(),
    bits: reader.u32(),
    nonce: reader.u32(),
  }
}

/** Decodes a block and checks what needs no chain: proof of work and merkle root. Throws `MalformedBytes`. */
export function decodeBlock(bytes: Buffer): Block {
  const reader = new ByteReader(bytes)
  const header = readHeader(reader)
  const headerHash = hash256(bytes.subarray(0, HEADER_BYTES))
  const transactions = Array.from({ length: reader.compactSize() }, () => readTransaction(reader))
  reader.expectEnd()
  if (!meetsRegtestTarget(headerHash)) throw new MalformedBytes('the proof of work is missing')
  if (displayHash(merkleRoot(transactions.map((tx) => tx.txid))) !== header.merkleRoot) {
    throw new MalformedBytes('the merkle root does not commit to the transactions')
  }
  return { hash: displayHash(headerHash), header, transactions, bytes }
}

/** Finds the nonce and encodes the block. */
export function mineBlock(
  header: Omit<BlockHeader, 'nonce'>,
  transactions: readonly Transaction[],
  firstNonce = 0,
): Block {
  const encoded = encodeHeader({ ...header, nonce: 0 })
  for (let nonce = firstNonce; ; nonce++) {
    encoded.writeUInt32LE(nonce, HEADER_BYTES - 4)
    const hash = hash256(encoded)
    if (!meetsRegtestTarget(hash)) continue
    const bytes = Buffer.concat([
      encoded,
      compactSize(transactions.length),
      ...transactions.map((tx) => tx.bytes),
    ])
    return { hash: displayHash(hash), header: { ...header, nonce }, transactions, bytes }
  }
}

/** The target is 0x7fffff followed by zeros; the hash is a little-endian number. */
function meetsRegtestTarget(headerHash: Uint8Array): boolean {
  const top = (headerHash[31]! << 16) | (headerHash[30]! << 8) | headerHash[29]!
  return top < 0x7fffff
}

/** Over txids, or wtxids for the witness commitment; a lone last hash is paired with itself. */
export function merkleRoot(ids: readonly string[]): Buffer {
  let level = ids.map(hashFromDisplay)
  while (level.length > 1) {
    const next: Buffer[] = []
    for (let i = 0; i < level.length; i += 2) next.push(hash256(level[i]!, level[i + 1] ?? level[i]!))
    level = next
  }
  return level[0]!
}

/** The genesis block of regtest, as in bitcoind's chainparams.cpp. Its coinbase can never be spent. */
export function regtestGenesis(): Block {
  const headline = Buffer.from(
    'The Times 03/Jan/2009 Chancellor on brink of second bailout for banks',
    'ascii',
  )
  const key =
    '04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f'
  const coinbase = finishTransaction({
    version: 1,
    inputs: [
      {
        txid: '0'.repeat(64),
        vout: 0xffff_ffff,
        scriptSig: Buffer.concat([Buffer.from('04ffff001d010445', 'hex'), headline]),
        sequence: 0xffff_ffff,
        witness: [],
      },
    ],
    outputs: [{ value: 50n * SATOSHI_PER_BITCOIN, script: Buffer.from(`41${key}ac`, 'hex') }],
    lockTime: 0,
  })
  return mineBlock(
    {
      version: 1,
      previousHash: '0'.repeat(64),
      merkleRoot: coinbase.txid,
      time: 1_296_688_602,
      bits: REGTEST_BITS,
    },
    [coinbase],
    2,
  )
}
