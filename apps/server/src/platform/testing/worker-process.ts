// A worker in a process of its own, for tests that kill it: takes a job, says so on stdout, and never ends it.
import { openDatabase } from '../database.ts'
import { startWorker } from '../jobs.ts'
import { makeLog } from '../log.ts'
import { Secret } from '../secret.ts'

const log = makeLog({ level: 'warn' })
const database = openDatabase({ connectionString: new Secret(process.env.DATABASE_URL ?? ''), log })
await startWorker({
  database,
  log,
  concurrency: 1,
  tasks: {
    async linger(_payload, { attempt }) {
      process.stdout.write(`attempt ${attempt}\n`)
      await new Promise(() => undefined)
    },
  },
})
