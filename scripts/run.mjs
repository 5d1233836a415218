// Every npm script goes through here: install what is missing, then run the given file under the pinned Node 24.
// Plain JavaScript without imports from node_modules, because it must run on any Node >= 20 before the install.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [file, ...args] = process.argv.slice(2)
const stamp = join(root, 'node_modules', '.holdfast-installed')
const pinnedNode = join(root, 'node_modules', 'node', 'bin', 'node')

function installIsCurrent() {
  if (!existsSync(stamp) || !existsSync(pinnedNode)) return false
  return readFileSync(stamp, 'utf8') === readFileSync(join(root, 'package-lock.json'), 'utf8')
}

/** Two scripts started at once must not run `npm ci` into the same folder: the first takes a lock file. */
function install() {
  const lock = join(root, '.installing.lock')
  let handle
  try {
    handle = openSync(lock, 'wx')
  } catch {
    const abandoned = existsSync(lock) && Date.now() - statSync(lock).mtimeMs > 10 * 60_000
    console.error(
      abandoned
        ? `An earlier installation was interrupted. Remove ${lock} and try again.`
        : 'Another installation is under way in this folder. Try again when it has ended.',
    )
    process.exit(1)
  }
  try {
    process.stderr.write('Installing the packages of package-lock.json (once, about half a minute) ...\n')
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
    const done = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
    })
    if (done.status !== 0) {
      process.stderr.write('npm ci failed: see the lines above. Nothing was started.\n')
      process.exitCode = done.status ?? 1
      return false
    }
    writeFileSync(stamp, readFileSync(join(root, 'package-lock.json')))
    return true
  } finally {
    closeSync(handle)
    rmSync(lock, { force: true })
  }
}

if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error(`Holdfast needs Node 20 or newer to start; this is ${process.versions.node}.`)
  process.exit(1)
}
if (!installIsCurrent() && !install()) process.exit()

const child = spawn(pinnedNode, ['--disable-warning=ExperimentalWarning', file, ...args], {
  cwd: process.cwd() === root ? root : process.cwd(),
  stdio: 'inherit',
})
// The terminal sends Ctrl-C to the whole group; a supervisor signals only this process, so pass it on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal ? 128 + 15 : 1)
})
