import { randomBytes } from 'node:crypto'
import { listen } from '@holdfast/lightning/listen'
import { lockFolder } from '../folder-lock.ts'
import { CommandQueue } from './command-queue.ts'
import { prepareFaucet } from './faucet.ts'
import { startMiner } from './miner.ts'
import { Regtest } from './regtest.ts'
import { makeBitcoinRpc } from './rpc-client.ts'
import { makeRpcServer } from './rpc-server.ts'

export type ChainOptions = {
  /** Holds the chain, durably. Created when absent. One process at a time. */
  readonly folder: string
  readonly host?: string
  /** 0, the default, takes a free one. */
  readonly port?: number
  /** Default: `holdfast`. */
  readonly rpcUser?: string
  /** Default: a new random one, to be read from the `url`. */
  readonly rpcPassword?: string
  /** Loads and funds the faucet's wallet, then mines a block this often. 0, the default, does nothing by itself. */
  readonly blockIntervalMs?: number
  /** Hears what went wrong inside; nothing that a caller did is reported here. */
  readonly onFault?: (fault: unknown) => void
}

/** `url` holds the credentials and goes wherever BITCOIND_URL goes. */
export type RunningChain = { readonly url: string; stop(): Promise<void> }

/** Starts the regtest chain and its JSON-RPC server. */
export async function startChain(options: ChainOptions): Promise<RunningChain> {
  const credentials = {
    rpcUser: options.rpcUser ?? 'holdfast',
    rpcPassword: options.rpcPassword ?? randomBytes(16).toString('hex'),
  }
  const onFault = options.onFault ?? ((fault: unknown) => console.error('devnet chain:', fault))
  const unlock = lockFolder(options.folder)
  const undo: Array<() => Promise<void> | void> = [unlock]
  const stop = async () => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step()
  }
  try {
    const regtest = Regtest.open(options.folder)
    undo.push(() => regtest.close())
    const queue = new CommandQueue(() => regtest.flush())
    undo.push(() => queue.settled())
    const server = makeRpcServer(regtest, queue, credentials, onFault)
    const host = options.host ?? '127.0.0.1'
    const port = await listen(server, { host, port: options.port ?? 0 }, onFault)
    undo.push(() => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      setTimeout(() => server.closeAllConnections(), 500).unref()
      return closed
    })
    const url = chainUrl(credentials, host, port)
    const { blockIntervalMs = 0 } = options
    if (blockIntervalMs > 0) {
      const rpc = makeBitcoinRpc(url)
      await prepareFaucet(rpc)
      const miner = startMiner(rpc, { intervalMs: blockIntervalMs, onFault })
      undo.push(() => miner.stop())
    }
    return { url, stop }
  } catch (fault) {
    await stop()
    throw fault
  }
}

function chainUrl(
  { rpcUser, rpcPassword }: { rpcUser: string; rpcPassword: string },
  host: string,
  port: number,
): string {
  const credentials = `${encodeURIComponent(rpcUser)}:${encodeURIComponent(rpcPassword)}`
  return `http://${credentials}@${host.includes(':') ? `[${host}]` : host}:${port}`
}
