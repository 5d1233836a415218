import type { AddressInfo } from 'node:net'
import { CommandQueue } from './command-queue.ts'
import { lockFolder } from './folder-lock.ts'
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
  readonly rpcUser: string
  readonly rpcPassword: string
  /** Mines a block this often, after the first 101 at the very first start. 0, the default, mines nothing. */
  readonly blockIntervalMs?: number
  /** Hears what went wrong inside; nothing that a caller did is reported here. */
  readonly onFault?: (fault: unknown) => void
}

/** `url` holds the credentials and goes wherever BITCOIND_URL goes. */
export type RunningChain = { readonly url: string; stop(): Promise<void> }

/** Starts the regtest chain and its JSON-RPC server. */
export async function startChain(options: ChainOptions): Promise<RunningChain> {
  const onFault = options.onFault ?? ((fault: unknown) => console.error('devnet chain:', fault))
  const unlock = await lockFolder(options.folder)
  const undo: Array<() => Promise<void> | void> = [unlock]
  const stop = async () => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step()
  }
  try {
    const regtest = Regtest.open(options.folder)
    undo.push(() => regtest.close())
    const queue = new CommandQueue(() => regtest.flush())
    undo.push(() => queue.settled())
    const server = makeRpcServer(regtest, queue, options, onFault)
    const host = options.host ?? '127.0.0.1'
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(options.port ?? 0, host, resolve)
    })
    undo.push(() => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      setTimeout(() => server.closeAllConnections(), 500).unref()
      return closed
    })
    const url = chainUrl(options, host, (server.address() as AddressInfo).port)
    const { blockIntervalMs = 0 } = options
    if (blockIntervalMs > 0) {
      const miner = await startMiner({ rpc: makeBitcoinRpc(url), intervalMs: blockIntervalMs, onFault })
      undo.push(() => miner.stop())
    }
    return { url, stop }
  } catch (fault) {
    await stop()
    throw fault
  }
}

function chainUrl({ rpcUser, rpcPassword }: ChainOptions, host: string, port: number): string {
  const credentials = `${encodeURIComponent(rpcUser)}:${encodeURIComponent(rpcPassword)}`
  return `http://${credentials}@${host.includes(':') ? `[${host}]` : host}:${port}`
}
