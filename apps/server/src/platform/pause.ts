import { setTimeout as sleep } from 'node:timers/promises'

/** Waits so long, or until the signal aborts; does not keep the process alive. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}
