import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findOrStartServer, type RunningServer } from './running-server.ts'

const program = join(import.meta.dirname, 'testing', 'server-double.ts')

let dataDir: string
let steps: string[]
let running: RunningServer[]
let starter: ChildProcess | null

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'holdfast-running-'))
  steps = []
  running = []
  starter = null
})
afterEach(async () => {
  for (const server of running) await server.stop()
  starter?.kill('SIGTERM')
  rmSync(dataDir, { recursive: true })
})

async function find(double = 'works', withinMs = 20_000): Promise<RunningServer> {
  const env = { ...process.env, DOUBLE: double }
  const server = await findOrStartServer(dataDir, (step) => steps.push(step), { program, withinMs, env })
  running.push(server)
  return server
}

/** Whether the double lives that was started last; one that was ended before it began never wrote its pid. */
function isAlive(): boolean {
  const file = join(dataDir, 'double.pid')
  if (!existsSync(file)) return false
  const pid = Number(readFileSync(file, 'utf8'))
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('without a server one is started, and ended by us alone, once', async () => {
  const ours = await find()
  expect(ours).toMatchObject({ isOurs: true, devnetFolder: join(dataDir, 'devnet') })
  expect(steps).toEqual(['server-starting', 'server-ready'])
  const found = await find()
  expect(found).toMatchObject({ isOurs: false, url: ours.url, dns: ours.dns })
  expect(steps.at(-1)).toBe('server-found')
  await found.stop()
  expect(isAlive()).toBe(true)
  await ours.stop()
  await ours.stop()
  expect(isAlive()).toBe(false)
})

test('what a killed server left behind is not taken for a server', async () => {
  const left = { url: 'http://127.0.0.1:9', pid: 4_000_000, dns: null }
  writeFileSync(join(dataDir, 'server.json'), JSON.stringify(left))
  expect((await find()).isOurs).toBe(true)
})

test.each(['SIGTERM', 'SIGHUP'] as const)(
  '%s to who started a server ends that server, too',
  async (signal) => {
    const module_ = JSON.stringify(join(import.meta.dirname, 'running-server.ts'))
    const script = `import { findOrStartServer } from ${module_}
    await findOrStartServer(${JSON.stringify(dataDir)}, () => undefined, { program: ${JSON.stringify(program)} })
    console.log('started')
    setInterval(() => undefined, 1000)`
    const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module']
    const started = spawn(process.execPath, [...flags, '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    starter = started
    const ended = once(started, 'exit')
    await Promise.race([once(started.stdout, 'data'), ended])
    expect(isAlive()).toBe(true)
    started.kill(signal)
    expect(await ended).toEqual([128 + constants.signals[signal], null])
    expect(isAlive()).toBe(false)
  },
)

test('a pipe that nobody reads any more ends the server that was started, too', async () => {
  const module_ = JSON.stringify(join(import.meta.dirname, 'running-server.ts'))
  const script = `import { endWithReader, findOrStartServer } from ${module_}
  endWithReader(process.stdout)
  await findOrStartServer(${JSON.stringify(dataDir)}, () => undefined, { program: ${JSON.stringify(program)} })
  setInterval(() => console.log('a step'), 10)`
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module']
  const started = spawn(process.execPath, [...flags, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  starter = started
  const ended = once(started, 'exit')
  await Promise.race([once(started.stdout, 'data'), ended])
  expect(isAlive()).toBe(true)
  started.stdout.destroy()
  expect(await ended).toEqual([128 + constants.signals.SIGHUP, null])
  expect(isAlive()).toBe(false)
})

test.each([
  ['fails', 20_000, { code: 'SERVER_FAILED', message: 'The server ended with 3.' }],
  ['hangs', 300, { code: 'SERVER_FAILED', message: 'The server was not ready within 0.3 s.' }],
  ['leaves half a file', 1000, { code: 'SERVER_FAILED', message: 'The server was not ready within 1 s.' }],
  ['has no devnet', 20_000, { code: 'DEVNET_NOT_FOUND' }],
] as const)(
  'a server that %s is an error with a code, and is not left running',
  async (double, withinMs, expected) => {
    await expect(find(double, withinMs)).rejects.toMatchObject(expected)
    expect(isAlive()).toBe(false)
  },
)
