import { once } from 'node:events'
import { COMMANDS } from './commands.ts'
import { runCli } from './run-cli.ts'

// Not process.exit(): what was written to a pipe must arrive first.
process.exitCode = await runCli(process.argv.slice(2), COMMANDS, {
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
  async drain() {
    if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain')
  },
})
