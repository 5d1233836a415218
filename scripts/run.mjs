// Every npm script goes through here: install what is missing, then run the given file under the pinned Node 24.
// Plain JavaScript without imports from node_modules, because it must run on any Node >= 20 before the install.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pastProxies } from './past-proxies.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const lockfile = join(root, 'package-lock.json')
const stamp = join(root, 'node_modules', '.holdfast-installed')
const installing = join(root, '.installing.lock')
const pinnedNode = join(root, 'node_modules', 'node', 'bin', 'node')

function fail(message) {
  console.error(message)
  process.exit(1)
}

function installIsCurrent() {
  if (!existsSync(stamp) || !existsSync(pinnedNode)) return false
  return readFileSync(stamp, 'utf8') === readFileSync(lockfile, 'utf8')
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Two scripts started at once must not run `npm ci` in one folder; an interrupted one must not block for ever. */
function takeInstallLock() {
  try {
    writeFileSync(installing, String(process.pid), { flag: 'wx' })
  } catch (error) {
    if (error.code !== 'EEXIST') fail(`Cannot write to ${root}: ${error.message}`)
    const holder = Number(readFileSync(installing, 'utf8'))
    if (holder && isAlive(holder))
      fail(`Process ${holder} is installing the packages. Try again when it has ended.`)
    rmSync(installing, { force: true })
    takeInstallLock()
  }
}

function install() {
  takeInstallLock()
  process.on('exit', () => rmSync(installing, { force: true }))
  console.error('Installing the packages of package-lock.json (once; about half a minute) ...')
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (npm.status !== 0) fail('npm ci failed: see the lines above. Nothing was started.')
  writeFileSync(stamp, readFileSync(lockfile))
  rmSync(installing, { force: true })
}

if (Number(process.versions.node.split('.')[0]) < 20)
  fail(`Holdfast needs Node 20 or newer to start; this is ${process.versions.node}.`)
if (!installIsCurrent()) install()

const options = [
  '--disable-warning=ExperimentalWarning',
  // In MB. By themselves V8's old space begins small and its new space grows to 64: under load all of the old one is
  // collected every few seconds, and requests wait for a tenth of one; each collection of the new one takes 5 to 10 ms.
  '--initial-old-space-size=192',
  '--max-semi-space-size=8',
  // For idle-collection.ts.
  '--expose-gc',
]
const child = spawn(pinnedNode, [...options, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: pastProxies(process.env),
})
// Ctrl-C in a terminal reaches the whole group, but a supervisor signals this process alone. SIGINT is therefore
// only outlived here, while SIGTERM and SIGHUP are passed on.
process.on('SIGINT', () => undefined)
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
