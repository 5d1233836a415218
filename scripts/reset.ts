// npm run reset: clears the embedded data (database, nodes, chain, zone keys) after asking.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'

const HELP = `npm run reset [-- --yes] [--data-dir FOLDER]

Deletes the embedded data: database, regtest chain, devnet nodes and zone keys.
Nothing outside the data folder is touched. A server that is running must be stopped first.

  --yes              do not ask
  --data-dir FOLDER  default: HOLDFAST_DATA_DIR, else .holdfast
`

const { values } = parseArgs({
  options: { yes: { type: 'boolean' }, help: { type: 'boolean' }, 'data-dir': { type: 'string' } },
})

if (values.help) {
  console.log(HELP)
} else {
  await reset(resolve(values['data-dir'] ?? process.env.HOLDFAST_DATA_DIR ?? '.holdfast'))
}

async function reset(folder: string) {
  if (!existsSync(folder)) return console.log(`There is no embedded data at ${folder}.`)
  if (!looksLikeOurs(folder))
    return stop(`${folder} does not look like a Holdfast data folder; nothing was deleted.`)
  const holder = runningHolder(folder)
  if (holder)
    return stop(`Holdfast (process ${holder}) is using ${folder}. Stop it first; nothing was deleted.`)
  if (!values.yes && !(await confirmed(folder))) return console.log('Nothing was deleted.')
  rmSync(folder, { recursive: true, force: true })
  console.log(`Deleted ${folder}. The next npm start makes a new world.`)
}

function looksLikeOurs(folder: string) {
  const known = ['postgres', 'devnet', 'server.lock', 'demo']
  return readdirSync(folder).some((entry) => known.includes(entry))
}

function runningHolder(folder: string): number | null {
  const lock = resolve(folder, 'server.lock')
  if (!existsSync(lock)) return null
  const pid = Number.parseInt(readFileSync(lock, 'utf8'), 10)
  try {
    process.kill(pid, 0)
    return pid
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? pid : null
  }
}

async function confirmed(folder: string) {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await terminal.question(`Delete all embedded data in ${folder}, for good? [y/N] `)
  terminal.close()
  return /^y(es)?$/i.test(answer.trim())
}

function stop(message: string) {
  console.error(message)
  process.exitCode = 1
}
