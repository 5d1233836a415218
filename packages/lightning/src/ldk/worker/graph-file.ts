import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { type Logger, NetworkGraph, Result_NetworkGraphDecodeErrorZ_OK } from 'lightningdevkit'
import type { Network } from '../../ports.ts'
import type { Log } from '../types.ts'
import { LDK_NETWORK } from './assembly.ts'

/** The one graph of a WASM instance: each takes about 160 MB of linear memory, and pointers break above 2 GiB. */
export function newGraph(network: Network, logger: Logger): NetworkGraph {
  return NetworkGraph.constructor_new(LDK_NETWORK[network], logger)
}

/** A cache of the graph, neither synced nor trusted: what cannot be read is learnt again from the peers. */
export class GraphFile {
  readonly #file: string
  readonly #log: Log
  #isWritten = true

  constructor(file: string, log: Log) {
    this.#file = file
    this.#log = log
  }

  /** Null when there is none, or none that can be read. */
  load(logger: Logger): NetworkGraph | null {
    if (!existsSync(this.#file)) return null
    try {
      const read = NetworkGraph.constructor_read(readFileSync(this.#file), logger)
      if (read instanceof Result_NetworkGraphDecodeErrorZ_OK) return read.res
      this.#unread('LDK does not know its form.')
    } catch (cause) {
      if (cause instanceof WebAssembly.RuntimeError) throw cause
      this.#unread(String(cause))
    }
    return null
  }

  /** That a cache cannot be written (a full disk) is said once, and is no reason for the nodes to stop. */
  save(graph: NetworkGraph): void {
    try {
      writeFileSync(`${this.#file}.new`, graph.write())
      renameSync(`${this.#file}.new`, this.#file)
      this.#isWritten = true
    } catch (cause) {
      if (cause instanceof WebAssembly.RuntimeError) throw cause
      if (this.#isWritten)
        this.#log.warn('The network graph cannot be saved; the nodes go on.', {
          file: this.#file,
          reason: String(cause),
        })
      this.#isWritten = false
    }
  }

  #unread(reason: string): void {
    const where = { file: this.#file, reason }
    this.#log.warn('The saved network graph cannot be read; starting with an empty one.', where)
  }
}
