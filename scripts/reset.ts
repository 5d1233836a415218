// npm run reset: clears the embedded data (database, chain, devnet nodes, zone keys) after asking.
import { once } from 'node:events'
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { readConfig } from '@holdfast/server/platform/config'
import { DataFolderBusyError, lockDataFolder } from '@holdfast/server/platform/data-folder-lock'
import { type Log, makeLog } from '@holdfast/server/platform/log'
import { clearOrphan, clearPostgres } from '@holdfast/server/platform/postgres/open-postgres'
import { findOrphans, type Orphan } from '@holdfast/server/platform/postgres/place-cluster'
import { readOptions } from '@holdfast/server/platform/read-options'

const HELP = `npm run reset [-- OPTIONS]

Deletes the embedded data in HOLDFAST_DATA_DIR (default .holdfast): database, regtest chain, devnet nodes, zone keys.
Nothing else is touched. A server that is running must be stopped first. Databases in /var/lib/holdfast whose data
folder is gone are listed.

  --orphans   delete those databases instead, each after asking
  --yes       do not ask
`

/** What lies in a data folder; docs/operations.md tells what each is. */
const OURS = /^(holdfast\.(lock|pid)|server\.json|nostr\.key|postgres|dns|devnet)(\.new|-journal)?$/

const { values } = readOptions({
  options: { orphans: { type: 'boolean' }, yes: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
})

if (values.help) console.log(HELP)
else await main()

async function main(): Promise<void> {
  const { dataDir, logLevel } = readConfig(process.env)
  const log = makeLog({ level: logLevel })
  try {
    if (values.orphans) return await clearOrphans(log)
    await reset(dataDir, log)
    await listOrphans()
  } catch (error) {
    if (!(error instanceof DataFolderBusyError)) throw error
    console.error(`${error.message} Nothing was deleted.`)
    process.exitCode = 1
  }
}

async function reset(folder: string, log: Log): Promise<void> {
  if (!existsSync(folder)) return console.log(`There is no embedded data at ${folder}.`)
  // A mistyped HOLDFAST_DATA_DIR must not cost anybody their home folder.
  if (!readdirSync(folder).includes('holdfast.lock')) {
    console.error(`${folder} is not a data folder of Holdfast. Nothing was deleted.`)
    process.exitCode = 1
    return
  }
  const lock = await lockDataFolder(folder)
  try {
    if (!(await confirmed(`Delete all embedded data in ${folder}, for good?`)))
      return console.log('Nothing was deleted.')
    await clearPostgres(folder, log)
    const left = clearFolder(folder)
    const deleted =
      left.length === 0
        ? `Deleted ${folder}.`
        : `Deleted all embedded data in ${folder}. What else is there was left: ${left.join(', ')}.`
    console.log(`${deleted} The next npm start makes a new world.`)
  } finally {
    lock.release()
  }
}

/** Who named a folder of their own in HOLDFAST_DATA_DIR keeps what they have in it: it is answered. */
function clearFolder(folder: string): string[] {
  for (const name of readdirSync(folder))
    if (OURS.test(name)) rmSync(join(folder, name), { recursive: true, force: true })
  const left = readdirSync(folder)
  if (left.length === 0) rmdirSync(folder)
  return left
}

async function listOrphans(): Promise<void> {
  const orphans = await findOrphans()
  if (orphans.length === 0) return
  console.log('\nDatabases whose data folder is gone (npm run reset -- --orphans deletes them):')
  for (const orphan of orphans) console.log(`  ${describe(orphan)}`)
}

async function clearOrphans(log: Log): Promise<void> {
  const orphans = await findOrphans()
  if (orphans.length === 0) return console.log('There is no database without its data folder.')
  for (const orphan of orphans) {
    if (!(await confirmed(`Delete the database ${describe(orphan)}, for good?`))) continue
    await clearOrphan(orphan, log)
    console.log(`Deleted ${orphan.folder}.`)
  }
}

function describe({ folder, was, lastUsed }: Orphan): string {
  return `${folder} (of ${was ?? 'nobody knows which data folder'}, last started ${lastUsed.toISOString().slice(0, 10)})`
}

async function confirmed(question: string): Promise<boolean> {
  if (values.yes) return true
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  // An input that ends, and a Ctrl-C, are no answer.
  const unanswered = once(terminal, 'close').then(() => '')
  const answer = await Promise.race([terminal.question(`${question} [y/N] `), unanswered])
  terminal.close()
  return /^y(es)?$/i.test(answer.trim())
}
