// Opens the embedded PostgreSQL of the data folder given as argument, as the server does, and says how it went in one
// line of JSON. Lives until it is told SIGTERM (stops it) or is killed (leaves it running).
import { lockDataFolder } from '../data-folder-lock.ts'
import { makeLog } from '../log.ts'
import { openPostgres } from '../postgres/open-postgres.ts'

const dataDir = process.argv[2] ?? ''
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)

try {
  const lock = await lockDataFolder(dataDir)
  const postgres = await openPostgres({ databaseUrl: null, dataDir }, makeLog({ level: 'silent' }))
  process.on('SIGTERM', () => {
    void postgres.stop().then(() => {
      lock.release()
      process.exit(0)
    })
  })
  setInterval(() => undefined, 1_000)
  say({ ok: true, url: postgres.connectionString.reveal() })
} catch (error) {
  say({ ok: false, name: (error as Error).name, message: (error as Error).message })
}
