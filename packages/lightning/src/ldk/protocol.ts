import type { NodeErrorCode } from '../ports.ts'
import type { LdkNodeOptions, LogData } from './types.ts'

/** What passes between the proxies and the host's thread, by structured clone. */
export type ToHost =
  | { kind: 'call'; id: number; node: string; method: string; args: readonly unknown[] }
  | { kind: 'open'; id: number; options: LdkNodeOptions }
  | { kind: 'identify'; id: number; seed: Uint8Array }
  | { kind: 'memory'; id: number }
  | { kind: 'stop'; id: number }
  | { kind: 'crash' }

export type FromHost =
  | { kind: 'ready' }
  | { kind: 'answer'; id: number; value: unknown }
  | { kind: 'refused'; id: number; code: NodeErrorCode; message: string }
  | { kind: 'log'; level: 'info' | 'warn' | 'error'; message: string; data: LogData }
  /** The node is not open any more; the others are. */
  | { kind: 'node-ended'; node: string; reason: string }
  /** The WASM instance is not to be trusted any more; the thread ends after this. */
  | { kind: 'fatal'; reason: string }

export type HostSettings = {
  network: 'bitcoin' | 'testnet' | 'signet' | 'regtest'
  bitcoindUrl: string
  graphFile: string | null
  pollMs: number
}

export type OpenedNode = { node: string; nodeId: string; listening: { host: string; port: number } | null }
