import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { type Logger, NetworkGraph, Result_NetworkGraphDecodeErrorZ_OK } from 'lightningdevkit'
import type { Network } from '../../ports.ts'
import type { Log } from '../types.ts'
import { LDK_NETWORK } from './assembly.ts'

/**
 * The one graph of a WASM instance: each takes about 160 MB of linear memory, and pointers break above 2 GiB. The
 * file is a cache, so it is neither synced nor trusted: what cannot be read is learnt again from the peers.
 */
export function loadGraph(file: string | null, network: Network, logger: Logger, log: Log): NetworkGraph {
  if (file && existsSync(file)) {
    const read = NetworkGraph.constructor_read(readFileSync(file), logger)
    if (read instanceof Result_NetworkGraphDecodeErrorZ_OK) return read.res
    log.warn('The saved network graph cannot be read; starting with an empty one.', { file })
  }
  return NetworkGraph.constructor_new(LDK_NETWORK[network], logger)
}

export function saveGraph(file: string, graph: NetworkGraph): void {
  writeFileSync(`${file}.new`, graph.write())
  renameSync(`${file}.new`, file)
}
