import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type OpenDatabase, openDatabase } from '@holdfast/server/platform/database'
import { makeLog } from '@holdfast/server/platform/log'
import { OWNER_ROLE } from '@holdfast/server/platform/postgres/init-cluster'
import { Secret } from '@holdfast/server/platform/secret'

/** The embedded PostgreSQL of a running server, as the owner of its tables. Close it before the next start. */
export function openEmbeddedDatabase(dataDir: string): OpenDatabase {
  const folder = join(dataDir, 'postgres')
  const password = readFileSync(join(folder, 'owner.password'), 'utf8').trim()
  const port = /listening on IPv4 address "127\.0\.0\.1", port (\d+)/.exec(
    readFileSync(join(folder, 'server.log'), 'utf8'),
  )?.[1]
  if (port === undefined) throw new Error(`PostgreSQL has not said on which port it listens: ${folder}`)
  const connectionString = new Secret(`postgres://${OWNER_ROLE}:${password}@127.0.0.1:${port}/holdfast`)
  return openDatabase({ connectionString, log: makeLog({ level: 'silent' }), maxConnections: 3 })
}
