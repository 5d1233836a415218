import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { openDatabase } from './database.ts'
import { makeLog } from './log.ts'
import { Secret } from './secret.ts'
import { withDatabase } from './testing/with-database.ts'

/** A message of PostgreSQL's protocol: its type, its length, what it says. */
function message(type: string, ...said: readonly (string | number)[]): Buffer {
  const body = Buffer.concat(said.map((one) => (typeof one === 'string' ? Buffer.from(one) : int32(one))))
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const WELCOME = [message('R', 0), message('Z', 'I')]
const FAREWELL = message('E', 'SFATAL\0', 'C57P01\0', 'Mterminating connection\0', '\0')

test.each([
  ['of its own', 'connect'],
  ['of a pool', 'pool'],
] as const)(
  'a connection %s that PostgreSQL ends as it comes up is lost, and nothing else',
  async (_, kind) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      // All in one piece, as it is read by a process that had something else to do.
      socket.once('data', () => socket.end(Buffer.concat([...WELCOME, FAREWELL])))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const uncaught: unknown[] = []
    const note = (error: unknown) => void uncaught.push(error)
    process.on('uncaughtException', note)
    try {
      const { port } = server.address() as AddressInfo
      const database = openDatabase({
        connectionString: new Secret(`postgres://u:p@127.0.0.1:${port}/d`),
        log: makeLog({ level: 'silent' }),
      })
      const pooled = kind === 'pool' ? await database.pool.connect() : null
      const client = pooled ?? (await database.connect('test'))
      await expect(client.query('select 1')).rejects.toThrow()
      pooled?.release(true)
      await database.close()
      expect(uncaught).toEqual([])
    } finally {
      process.off('uncaughtException', note)
      server.close()
    }
  },
)

describe('a pool whose last commits may be lost', () => {
  const given = withDatabase()

  test('does not wait for the disk, also where the connection string has options of its own', async () => {
    const url = new URL(given.connectionString.reveal())
    url.searchParams.set('options', '-c statement_timeout=1234')
    const database = openDatabase({
      connectionString: new Secret(url.href),
      log: makeLog({ level: 'silent' }),
    })
    const pool = database.openPlainPool({
      applicationName: 'test',
      maxConnections: 1,
      lastCommitsMayBeLost: true,
    })
    const { rows } = await pool.query('show synchronous_commit')
    expect(rows).toEqual([{ synchronous_commit: 'off' }])
    await pool.end()
    await database.close()
  })
})
