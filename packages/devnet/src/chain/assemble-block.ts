import { type Block, blockSubsidy, MAX_BLOCK_WEIGHT, merkleRoot, mineBlock, REGTEST_BITS } from './block.ts'
import { hash256 } from './bytes.ts'
import type { ChainState } from './chain-state.ts'
import type { Mempool, MempoolEntry } from './mempool.ts'
import { encodeScriptNumber } from './script/numbers.ts'
import { finishTransaction, type Transaction } from './transaction.ts'

/** Room for the header, the count and the coinbase. */
const RESERVED_WEIGHT = 8_000
const VERSION = 0x2000_0000

/**
 * The next block with what fits of the mempool, first come first mined, paying subsidy and fees to `script`. Its time
 * is `now` (seconds since 1970), or one second above the median time past when the clock lags behind the chain.
 */
export function assembleBlock(
  chain: ChainState,
  mempool: Mempool,
  payout: { script: Uint8Array; now: number; extraNonce: Uint8Array },
): Block {
  const chosen = chooseTransactions(mempool)
  const fees = chosen.reduce((sum, entry) => sum + entry.fee, 0n)
  const transactions = chosen.map((entry) => entry.tx)
  const { height, medianTimePast } = chain.next
  const coinbase = makeCoinbase(height, payout, blockSubsidy(height) + fees, transactions)
  return mineBlock(
    {
      version: VERSION,
      previousHash: chain.tip.hash,
      merkleRoot: Buffer.from(merkleRoot([coinbase.txid, ...transactions.map((tx) => tx.txid)]))
        .reverse()
        .toString('hex'),
      time: Math.max(payout.now, medianTimePast + 1),
      bits: REGTEST_BITS,
    },
    [coinbase, ...transactions],
  )
}

/** A child is left out when one of its unconfirmed parents did not fit. */
function chooseTransactions(mempool: Mempool): MempoolEntry[] {
  const chosen: MempoolEntry[] = []
  const leftOut = new Set<string>()
  let weight = RESERVED_WEIGHT
  for (const entry of mempool.all()) {
    const orphaned = [...entry.parents].some((parent) => leftOut.has(parent))
    if (orphaned || weight + entry.tx.weight > MAX_BLOCK_WEIGHT) {
      leftOut.add(entry.tx.txid)
      continue
    }
    weight += entry.tx.weight
    chosen.push(entry)
  }
  return chosen
}

/** BIP-34: the height first in the scriptSig. BIP-141: the witness commitment in the last output. */
function makeCoinbase(
  height: number,
  payout: { script: Uint8Array; extraNonce: Uint8Array },
  value: bigint,
  transactions: readonly Transaction[],
): Transaction {
  const reserved = Buffer.alloc(32)
  const witnessRoot = merkleRoot(['0'.repeat(64), ...transactions.map((tx) => tx.wtxid)])
  const commitment = Buffer.concat([Buffer.from('6a24aa21a9ed', 'hex'), hash256(witnessRoot, reserved)])
  return finishTransaction({
    version: 2,
    inputs: [
      {
        txid: '0'.repeat(64),
        vout: 0xffff_ffff,
        scriptSig: Buffer.concat([
          pushHeight(height),
          Buffer.from([payout.extraNonce.length]),
          payout.extraNonce,
        ]),
        sequence: 0xffff_ffff,
        witness: [reserved],
      },
    ],
    outputs: [
      { value, script: payout.script },
      { value: 0n, script: commitment },
    ],
    lockTime: 0,
  })
}

function pushHeight(height: number): Buffer {
  if (height <= 16) return Buffer.from([0x50 + height])
  const number = encodeScriptNumber(BigInt(height))
  return Buffer.concat([Buffer.from([number.length]), number])
}
