import { Address, OutScript, TEST_NETWORK } from '@scure/btc-signer'
import { formatBtc } from './amounts.ts'
import type { BlockNode } from './block-tree.ts'
import type { ChainState } from './chain-state.ts'
import type { Regtest } from './regtest.ts'
import { outputKind } from './script/output-script.ts'
import { isCoinbase, type Transaction } from './transaction.ts'

/** Regtest's address prefixes: testnet's, but for bech32. */
export const REGTEST_NETWORK = { ...TEST_NETWORK, bech32: 'bcrt' }

/** A JSON number with exactly these digits: `JSON.stringify` alone would write 1e-8. */
export function btcNumber(satoshi: bigint): unknown {
  return rawJson(formatBtc(satoshi))
}

/** In V8 since Node 21; TypeScript's library does not declare it yet. */
const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown }

const REGTEST_DIFFICULTY = rawJson('4.656542373906925e-10')
const REGTEST_TARGET = `7fffff${'0'.repeat(58)}`

export function viewHeader(chain: ChainState, node: BlockNode): Record<string, unknown> {
  const { header } = node
  const following = chain.isActive(node) ? chain.at(node.height + 1) : undefined
  return {
    hash: node.hash,
    confirmations: chain.confirmations(node),
    height: node.height,
    version: header.version,
    versionHex: header.version.toString(16).padStart(8, '0'),
    merkleroot: header.merkleRoot,
    time: header.time,
    mediantime: node.medianTimePast,
    nonce: header.nonce,
    bits: header.bits.toString(16),
    target: REGTEST_TARGET,
    difficulty: REGTEST_DIFFICULTY,
    chainwork: chainwork(node),
    nTx: node.txCount,
    ...(node.parent === null ? {} : { previousblockhash: node.parent.hash }),
    ...(following === undefined ? {} : { nextblockhash: following.hash }),
  }
}

/** Every regtest block is worth two hashes. */
function chainwork(node: BlockNode): string {
  return (2 * (node.height + 1)).toString(16).padStart(64, '0')
}

/** A tip older than a day means to bitcoind that blocks are still to come. */
const STALE_TIP_SECONDS = 24 * 60 * 60

export function viewChain({ chain, now }: Regtest): Record<string, unknown> {
  const { tip } = chain
  return {
    chain: 'regtest',
    blocks: tip.height,
    headers: tip.height,
    bestblockhash: tip.hash,
    bits: tip.header.bits.toString(16),
    target: REGTEST_TARGET,
    difficulty: REGTEST_DIFFICULTY,
    time: tip.header.time,
    mediantime: tip.medianTimePast,
    verificationprogress: 1,
    initialblockdownload: now - tip.header.time > STALE_TIP_SECONDS,
    chainwork: chainwork(tip),
    pruned: false,
    warnings: [],
  }
}

export function viewScript(script: Uint8Array): Record<string, unknown> {
  const address = addressOf(script)
  return {
    hex: Buffer.from(script).toString('hex'),
    ...(address === null ? {} : { address }),
    type: outputKind(script),
  }
}

/** `null` when the script has no address. */
export function addressOf(script: Uint8Array): string | null {
  const kind = outputKind(script)
  if (kind === 'nonstandard' || kind === 'nulldata' || kind === 'witness_unknown' || kind === 'anchor')
    return null
  return Address(REGTEST_NETWORK).encode(OutScript.decode(script))
}

export function viewTransaction(tx: Transaction): Record<string, unknown> {
  return {
    txid: tx.txid,
    hash: tx.wtxid,
    version: tx.version,
    size: tx.bytes.length,
    vsize: tx.vsize,
    weight: tx.weight,
    locktime: tx.lockTime,
    vin: tx.inputs.map((input) => ({
      ...(isCoinbase(tx)
        ? { coinbase: Buffer.from(input.scriptSig).toString('hex') }
        : {
            txid: input.txid,
            vout: input.vout,
            scriptSig: { hex: Buffer.from(input.scriptSig).toString('hex') },
          }),
      ...(input.witness.length === 0
        ? {}
        : { txinwitness: input.witness.map((element) => Buffer.from(element).toString('hex')) }),
      sequence: input.sequence,
    })),
    vout: tx.outputs.map((output, n) => ({
      value: btcNumber(output.value),
      n,
      scriptPubKey: viewScript(output.script),
    })),
    hex: tx.bytes.toString('hex'),
  }
}
