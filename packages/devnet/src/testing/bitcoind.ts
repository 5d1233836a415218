import { makeBitcoinRpc } from '../chain/rpc-client.ts'
import { freePort, makeFolder, requiredProgram, startServiceIn } from './service-process.ts'

export type RunningBitcoind = { readonly url: string; stop(): Promise<void> }

/**
 * A real bitcoind on regtest, empty, on a free loopback port, in a folder of its own that goes with it. `url` holds the
 * credentials. Its wallets use native SegWit for receiving and change, which LDK's funding needs.
 */
export async function startBitcoind(
  options: { extraArgs?: readonly string[] } = {},
): Promise<RunningBitcoind> {
  const program = requiredProgram('HOLDFAST_BITCOIND')
  const home = makeFolder('bitcoind')
  const { folder } = home
  const url = `http://holdfast:holdfast@127.0.0.1:${await freePort()}`
  const rpc = makeBitcoinRpc(url, { timeoutMs: 2_000 })
  const args = [
    '-regtest',
    `-datadir=${folder}`,
    '-server',
    '-listen=0',
    '-txindex=1',
    '-rpcuser=holdfast',
    '-rpcpassword=holdfast',
    '-rpcbind=127.0.0.1',
    '-rpcallowip=127.0.0.1',
    `-rpcport=${new URL(url).port}`,
    '-addresstype=bech32',
    '-changetype=bech32',
    '-fallbackfee=0.0002',
    '-printtoconsole=1',
    ...(options.extraArgs ?? []),
  ]
  const isReady = () =>
    rpc.getBlockCount().then(
      () => true,
      () => false,
    )
  const { stop } = await startServiceIn(home, program, args, isReady)
  return { url, stop }
}
