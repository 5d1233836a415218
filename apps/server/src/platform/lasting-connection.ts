import type pg from 'pg'
import type { OpenDatabase } from './database.ts'
import type { Log } from './log.ts'
import { pause } from './pause.ts'

export type LastingConnection = {
  /** The one of now; a statement on it fails while it is broken and the next is not yet made. */
  readonly client: pg.Client
  stop(): Promise<void>
}

const RETRY_MS = 1_000

/**
 * A database connection outside of the pool that is made again whenever it ends. Each gets `prepare`d before it counts;
 * the first one's failure is thrown, those of later ones are logged with what `cannot` be done meanwhile, and tried again.
 */
export async function keepConnection(options: {
  database: Pick<OpenDatabase, 'connect'>
  name: string
  prepare: (client: pg.Client) => Promise<void>
  cannot: string
  log: Log
}): Promise<LastingConnection> {
  const { database, name, prepare, cannot, log } = options
  const stopping = new AbortController()
  let reconnecting = Promise.resolve()
  let client = await connect()

  async function connect(): Promise<pg.Client> {
    const connected = await database.connect(name)
    connected.on('error', (error) => log.warn({ err: error, connection: name }, 'a connection was lost'))
    try {
      await prepare(connected)
    } catch (error) {
      await connected.end()
      throw error
    }
    connected.on('end', () => {
      reconnecting = reconnect()
    })
    return connected
  }

  async function reconnect(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        client = await connect()
        // We were told to stop while it came up.
        if (stopping.signal.aborted) await client.end()
        return
      } catch (error) {
        log.warn({ err: error, connection: name }, `${cannot}; trying again`)
        await pause(RETRY_MS, stopping.signal)
      }
    }
  }

  return {
    get client() {
      return client
    },
    async stop() {
      stopping.abort()
      await client.end()
      await reconnecting
    },
  }
}
