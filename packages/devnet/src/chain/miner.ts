import { prepareFaucet } from './faucet.ts'
import type { BitcoinRpc } from './rpc-client.ts'

/**
 * Mines a block every `intervalMs` to the faucet's wallet, over RPC only. Resolves when the faucet has funds. A block
 * that fails is reported to `onFault` and tried again at the next turn.
 */
export async function startMiner(options: {
  rpc: BitcoinRpc
  intervalMs: number
  onFault: (fault: unknown) => void
}): Promise<{ stop(): Promise<void> }> {
  const { rpc, intervalMs, onFault } = options
  await prepareFaucet(rpc)
  const address = await rpc.getNewAddress()
  let timer: NodeJS.Timeout | null = null
  let mining: Promise<void> = Promise.resolve()
  let stopped = false

  function scheduleNext(): void {
    timer = setTimeout(() => {
      mining = rpc
        .generateToAddress(1, address)
        .then(() => undefined, onFault)
        .finally(() => {
          if (!stopped) scheduleNext()
        })
    }, intervalMs)
  }

  scheduleNext()
  return {
    async stop() {
      stopped = true
      if (timer !== null) clearTimeout(timer)
      await mining
    },
  }
}
