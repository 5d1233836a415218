// npm run reset: clears the embedded data (database, chain, devnet nodes, zone keys) after asking.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { readConfig } from '@holdfast/server/platform/config'
import { DataFolderBusyError, lockDataFolder } from '@holdfast/server/platform/data-folder-lock'
import { makeLog } from '@holdfast/server/platform/log'
import { clearPostgres } from '@holdfast/server/platform/postgres/open-postgres'

const HELP = `npm run reset [-- --yes]

Deletes the embedded data in HOLDFAST_DATA_DIR (default .holdfast): database, regtest chain, devnet nodes, zone keys.
Nothing else is touched. A server that is running must be stopped first.

  --yes   do not ask
`

const { values } = parseArgs({ options: { yes: { type: 'boolean' }, help: { type: 'boolean' } } })

if (values.help) {
  console.log(HELP)
} else {
  const { dataDir, logLevel } = readConfig(process.env)
  await reset(dataDir, makeLog({ level: logLevel })).catch((error: Error) => {
    if (!(error instanceof DataFolderBusyError)) throw error
    console.error(`${error.message} Nothing was deleted.`)
    process.exitCode = 1
  })
}

async function reset(folder: string, log: ReturnType<typeof makeLog>) {
  if (!existsSync(folder)) return console.log(`There is no embedded data at ${folder}.`)
  // A mistyped HOLDFAST_DATA_DIR must not cost anybody their home folder.
  if (!readdirSync(folder).includes('holdfast.lock')) {
    console.error(`${folder} is not a data folder of Holdfast. Nothing was deleted.`)
    process.exitCode = 1
    return
  }
  const lock = await lockDataFolder(folder)
  try {
    if (!values.yes && !(await confirmed(folder))) return console.log('Nothing was deleted.')
    await clearPostgres(folder, log)
    rmSync(folder, { recursive: true, force: true })
    console.log(`Deleted ${folder}. The next npm start makes a new world.`)
  } finally {
    lock.release()
  }
}

async function confirmed(folder: string) {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await terminal.question(`Delete all embedded data in ${folder}, for good? [y/N] `)
  terminal.close()
  return /^y(es)?$/i.test(answer.trim())
}
