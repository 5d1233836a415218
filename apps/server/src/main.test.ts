import { execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const MAIN = join(import.meta.dirname, 'main.ts')
/** For what hangs. */
vi.setConfig({ testTimeout: 180_000 })

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'holdfast-main-'))
  // As root, PostgreSQL runs as another user, who must reach its cluster in here.
  chmodSync(dataDir, 0o711)
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

function begin(env: NodeJS.ProcessEnv) {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOLDFAST_DATA_DIR: dataDir, HOLDFAST_PORT: '0', HOLDFAST_DNS_PORT: '0', ...env },
  })
}

async function fail(env: NodeJS.ProcessEnv) {
  const child = begin(env)
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
  return { stderr, code, left: processesOf(dataDir) }
}

const processesOf = (folder: string) =>
  execFileSync('ps', ['-A', '-o', 'pid=,command='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(folder))

/** `initdb` counts: it starts PostgreSQL itself. */
async function untilPostgresRuns() {
  while (!processesOf(dataDir).some((line) => /bin\/(initdb|postgres) /.test(line))) await sleep(10)
}

test('a signal during the start ends what has come up by then, too', async () => {
  const child = begin({})
  const ended = once(child, 'close')
  await untilPostgresRuns()
  child.kill('SIGTERM')
  const end = await ended
  expect(processesOf(dataDir)).toEqual([])
  expect(end).toEqual([0, null])
})

test('a pipe that nobody reads ends no server', async () => {
  const child = begin({})
  const ended = once(child, 'close')
  child.stdout.destroy()
  child.stderr.destroy()
  const file = join(dataDir, 'server.json')
  await Promise.race([expect.poll(() => existsSync(file), { timeout: 60_000 }).toBe(true), ended])
  const { url } = JSON.parse(readFileSync(file, 'utf8'))
  expect((await fetch(`${url}/health`)).status).toBe(200)
  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})

describe('a start that fails says why, and leaves nothing running', () => {
  test('because the port of the embedded DNS is taken, while PostgreSQL is still being set up', async () => {
    const taken = createSocket('udp4').bind(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address()
    const { code, stderr, left } = await fail({ HOLDFAST_DNS_PORT: String(port) })
    taken.close()
    expect(left).toEqual([])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `Port ${port} of 127.0.0.1 is taken. Stop the program that uses it, or name another in HOLDFAST_DNS_PORT.\n`,
    })
  })

  test('because bitcoind goes away, while PostgreSQL is still being set up', async () => {
    const bitcoind = createServer((socket) => {
      socket.on('error', () => undefined)
      void untilPostgresRuns().then(() => socket.destroy())
    }).listen(0, '127.0.0.1')
    await once(bitcoind, 'listening')
    const { port } = bitcoind.address() as AddressInfo
    const { code, stderr, left } = await fail({ BITCOIND_URL: `http://user:pass-word@127.0.0.1:${port}` })
    bitcoind.close()
    expect({ code, left }).toEqual({ code: 1, left: [] })
    expect(stderr).toContain('bitcoind does not answer')
    expect(stderr).not.toContain('pass-word')
  })

  test('because the data folder is a file', async () => {
    const file = join(dataDir, 'file')
    writeFileSync(file, '')
    const { code, stderr } = await fail({ HOLDFAST_DATA_DIR: file })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^The data folder .* cannot be written: .*\n$/)
  })
})
