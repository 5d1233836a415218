import { Worker } from 'node:worker_threads'
import type { FromHost, HostSettings, ToHost } from './protocol.ts'

/** A running host, wherever it runs. */
export interface HostLink {
  send(message: ToHost): void
  /** Ends it at once, as a crash would. */
  terminate(): Promise<void>
}

export type StartLink = (
  settings: HostSettings,
  heard: (message: FromHost) => void,
  ended: (reason: string) => void,
) => HostLink

/** The host in a worker thread of its own: LDK's work never holds up the server's event loop. */
export const startThread: StartLink = (settings, heard, ended) => {
  const worker = new Worker(new URL('./worker/thread.ts', import.meta.url), { workerData: settings })
  let reason = 'The thread ended.'
  worker.on('message', heard)
  worker.on('error', (cause) => {
    reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
  })
  worker.on('exit', () => ended(reason))
  return {
    send: (message) => worker.postMessage(message),
    terminate: async () => {
      await worker.terminate()
    },
  }
}
