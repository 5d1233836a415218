// A process with a shutdown of two parts, for the tests of signals: `quick`, or `stuck` whose second part never ends.
import { makeLog } from '../log.ts'
import { makeShutdown } from '../shutdown.ts'

const shutdown = makeShutdown({ log: makeLog({ level: 'silent' }), deadlineMs: 60_000 })
shutdown.add('database', async () => process.stdout.write('database\n'))
shutdown.add('http', async () => {
  process.stdout.write('http\n')
  if (process.argv[2] === 'stuck') await new Promise(() => undefined)
})
shutdown.onSignals()
setInterval(() => undefined, 1_000)
process.stdout.write('ready\n')
