import type { BitcoinRpc } from './rpc-client.ts'

/**
 * Mines a block every `intervalMs` to the loaded wallet, over RPC only; 0 mines nothing. A block that fails is
 * reported to `onFault` and tried again at the next turn.
 */
export function startMiner(
  rpc: BitcoinRpc,
  options: { intervalMs: number; onFault?: (fault: unknown) => void },
): { stop(): Promise<void> } {
  const { intervalMs, onFault = (fault) => console.error('devnet miner:', fault) } = options
  let timer: NodeJS.Timeout | undefined
  let mining: Promise<void> = Promise.resolve()
  let stopped = false

  async function mineOne(): Promise<void> {
    try {
      await rpc.generate(1)
    } catch (fault) {
      onFault(fault)
    }
    if (!stopped) scheduleNext()
  }

  function scheduleNext(): void {
    timer = setTimeout(() => {
      mining = mineOne()
    }, intervalMs)
  }

  if (intervalMs > 0) scheduleNext()
  return {
    async stop() {
      stopped = true
      clearTimeout(timer)
      await mining
    },
  }
}
