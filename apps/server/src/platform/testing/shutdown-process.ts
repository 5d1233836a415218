// A process with a shutdown of two parts, for the tests of signals: `quick`, `stuck` whose second part never ends, or
// `told-twice` whose second part ends when another signal has come.
import { once } from 'node:events'
import { makeLog } from '../log.ts'
import { makeShutdown } from '../shutdown.ts'

const shutdown = makeShutdown({ log: makeLog({ level: 'silent' }), deadlineMs: 60_000 })
shutdown.add('database', async () => process.stdout.write('database\n'))
shutdown.add('http', async () => {
  process.stdout.write('http\n')
  if (process.argv[2] === 'stuck') await new Promise(() => undefined)
  if (process.argv[2] === 'told-twice')
    await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGHUP')])
})
shutdown.onSignals()
setInterval(() => undefined, 1_000)
process.stdout.write('ready\n')
