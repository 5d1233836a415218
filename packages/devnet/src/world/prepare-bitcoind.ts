import { BitcoinRpcError, BitcoinRpcUnavailable } from '@holdfast/lightning/bitcoin-call'
import { prepareFaucet } from '../chain/faucet.ts'
import { makeBitcoinRpc } from '../chain/rpc-client.ts'
import { WorldError } from './world-error.ts'

/** Makes sure that the devnet can work on the bitcoind at `url`, and funds its faucet. Throws `WorldError`. */
export async function prepareBitcoind(url: string): Promise<void> {
  const rpc = makeBitcoinRpc(url)
  try {
    const { chain } = (await rpc.call('getblockchaininfo')) as { chain: string }
    // On any other chain the blocks and coins of a devnet cannot be made, or would be worth something.
    if (chain !== 'regtest') throw unusable(url, `it is on the chain ${chain}, and the devnet needs regtest`)
    await prepareFaucet(rpc)
  } catch (cause) {
    if (!(cause instanceof BitcoinRpcError || cause instanceof BitcoinRpcUnavailable)) throw cause
    throw unusable(url, cause.message, { cause })
  }
}

function unusable(url: string, why: string, options?: ErrorOptions): WorldError {
  return new WorldError(
    `The bitcoind at ${new URL(url).host} cannot be used: ${why}. Start it, or correct BITCOIND_URL.`,
    options,
  )
}
