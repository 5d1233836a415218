import { join } from 'node:path'
import type { LdkNodeOptions } from '@holdfast/lightning/ldk'
import { makeDataDir, ServerProcess } from './server-process.ts'

/** What outlives the server: it is given to each of its lives. */
export type EscrowServerWorld = {
  readonly bitcoindUrl: string
  /** Of the database, with the server's own rights. */
  readonly connectionString: string
  /** The operator's node; the seed in hex. */
  readonly node: Omit<LdkNodeOptions, 'seed'> & { readonly seed: string }
}

/** The server with the operator's node, and nothing else, as a process of its own. */
export function makeEscrowServer({
  node,
  ...world
}: Omit<EscrowServerWorld, 'node'> & { node: LdkNodeOptions }) {
  const given: EscrowServerWorld = {
    ...world,
    node: { ...node, seed: Buffer.from(node.seed).toString('hex') },
  }
  const dataDir = makeDataDir()
  const env = {
    HOLDFAST_RATE_LIMIT: '0',
    HOLDFAST_TEST_WORLD: JSON.stringify(given),
    // Half of a start is reading TypeScript: it is read once for all lives.
    NODE_COMPILE_CACHE: join(dataDir, 'compile-cache'),
  }
  return new ServerProcess(env, dataDir, 'e2e/support/escrow-server.ts')
}
