import { BitcoinRpcError } from '@holdfast/lightning/bitcoin-call'
import type { BitcoinRpc } from './rpc-client.ts'
import { RPC_CODE } from './rpc-failure.ts'

export const FAUCET_WALLET = 'holdfast'
/**
 * One block's reward matures when a hundred more stand on it. The others: bitcoind's wallet locks one transaction in ten
 * until one of the last hundred blocks, and Bitcoin Knots takes a lock until block 21 for a mark of CAT-21 and rejects it.
 */
const BLOCKS_TO_FIRST_FUNDS = 121

/** Makes sure that the node has the faucet's wallet loaded and that it holds mature funds. Safe to repeat. */
export async function prepareFaucet(rpc: BitcoinRpc): Promise<void> {
  await loadFaucetWallet(rpc)
  if ((await rpc.getBalance()) > 0n) return
  await rpc.generate(BLOCKS_TO_FIRST_FUNDS)
}

async function loadFaucetWallet(rpc: BitcoinRpc): Promise<void> {
  if ((await rpc.listWallets()).includes(FAUCET_WALLET)) return
  try {
    await rpc.loadWallet(FAUCET_WALLET)
  } catch (error) {
    const code = error instanceof BitcoinRpcError ? error.code : null
    if (code === RPC_CODE.walletAlreadyLoaded) return
    if (code !== RPC_CODE.walletNotFound) throw error
    await rpc.createWallet(FAUCET_WALLET)
  }
}

/** Pays `amountSat` to each address and mines `confirmations` blocks on top. Answers the txids in order. */
export async function payFromFaucet(
  rpc: BitcoinRpc,
  payments: readonly { address: string; amountSat: bigint }[],
  { confirmations = 1 }: { confirmations?: number } = {},
): Promise<string[]> {
  const txids: string[] = []
  for (const { address, amountSat } of payments) txids.push(await rpc.sendToAddress(address, amountSat))
  if (confirmations > 0) await rpc.generate(confirmations)
  return txids
}
