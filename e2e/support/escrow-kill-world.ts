import { randomBytes } from 'node:crypto'
import { startChain } from '@holdfast/devnet/chain/chain-server'
import { type LdkWorld, makeLdkWorld } from '@holdfast/devnet/nodes/ldk-world'
import { findEscrow } from '@holdfast/server/escrow/escrow-store'
import type { OpenDatabase } from '@holdfast/server/platform/database'
import { sql } from 'kysely'
import { getPublicKey } from 'nostr-tools/pure'
import type { EscrowDoor } from './escrow-door.ts'
import { makeEscrowServer } from './escrow-server-process.ts'
import type { EscrowLife } from './escrow-story.ts'
import { makeKillDatabase } from './kill-database.ts'
import type { ServerProcess } from './server-process.ts'

/**
 * What outlives the server: the chain, the database, and the wallets of a buyer and a worker, each with a channel to
 * the operator's node. That node lives and dies with the server.
 */
export type EscrowKillWorld = {
  readonly ldk: LdkWorld
  readonly database: OpenDatabase
  readonly server: ServerProcess
  /** Resolves when the server takes requests, and both wallets can pay over its node. */
  live(done?: EscrowLife['done']): Promise<EscrowLifeOfServer>
  stop(): Promise<void>
}

export type EscrowLifeOfServer = EscrowLife & {
  readonly startMs: number
  /** SIGKILL. Resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM; answers the exit code. */
  stop(): Promise<number | null>
}

/** `runFolder`: of the test run's PostgreSQL. */
export async function makeEscrowKillWorld(runFolder: string): Promise<EscrowKillWorld> {
  const { database, connectionString, drop } = await makeKillDatabase(runFolder)
  const ldk = await makeLdkWorld({ startChain: (folder) => startChain({ folder }) })
  await ldk.hub.stop()
  const server = makeEscrowServer({ bitcoindUrl: ldk.url, connectionString, node: ldk.optionsOf('hub') })
  const secretKeys: EscrowDoor['secretKeys'] = { buyer: randomBytes(32), worker: randomBytes(32) }
  const workersKey = getPublicKey(secretKeys.worker)
  const find = makeFind(database)

  return {
    ...{ ldk, database, server },
    async live(done = () => undefined) {
      const began = performance.now()
      const { url } = await server.start()
      const startMs = performance.now() - began
      const died = new AbortController()
      return {
        ...{ url, secretKeys, workersKey, died: died.signal, find, done, startMs },
        buyer: ldk.payer,
        worker: ldk.payee,
        async kill() {
          await server.kill()
          died.abort()
        },
        async stop() {
          const code = await server.stop()
          died.abort()
          return code
        },
      }
    },
    async stop() {
      await server.remove()
      await drop()
      await ldk.stop()
    },
  }
}

/** Each escrow has a title of its own. */
function makeFind({ db }: OpenDatabase): EscrowLife['find'] {
  const known = new Map<string, string>()
  return async (title) => {
    if (!known.has(title)) {
      const { rows } = await sql<{ id: string }>`
        select id from escrow where state ->> 'title' = ${title}`.execute(db)
      if (rows[0]) known.set(title, rows[0].id)
    }
    const id = known.get(title)
    return id === undefined ? null : findEscrow(db, id)
  }
}
