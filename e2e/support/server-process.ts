import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeLog } from '@holdfast/server/platform/log'
import { clearPostgres } from '@holdfast/server/platform/postgres/open-postgres'

/** What a running server writes to `server.json` in its data folder. */
export type ServerFile = {
  url: string
  pid: number
  /** Null: without the devnet. */
  dns: { host: string; port: number; anchorFile: string } | null
}

const ROOT = join(import.meta.dirname, '..', '..')
const READY_WITHIN_MS = 300_000

/** The real server as a process of its own, on random ports, in a data folder that outlives it. */
export class ServerProcess {
  readonly dataDir: string
  readonly #env: NodeJS.ProcessEnv
  readonly #program: string
  #child: ChildProcess | null = null
  #output = ''

  constructor(env: NodeJS.ProcessEnv = {}, dataDir = makeDataDir(), program = 'apps/server/src/main.ts') {
    this.dataDir = dataDir
    this.#env = env
    this.#program = program
  }

  /** Starts it and resolves when it is ready to serve. */
  async start(): Promise<ServerFile> {
    const child = this.begin()
    const deadline = Date.now() + READY_WITHIN_MS
    while (!existsSync(this.#serverFile)) {
      if (hasEnded(child)) throw new Error(`The server ended with ${endOf(child)}:\n${this.#output}`)
      if (Date.now() > deadline) throw new Error(`The server was not ready in time:\n${this.#output}`)
      await sleep(10)
    }
    return JSON.parse(readFileSync(this.#serverFile, 'utf8')) as ServerFile
  }

  /** Starts it and waits for nothing. */
  begin(): ChildProcess {
    if (this.#child && !hasEnded(this.#child)) throw new Error('The server is running already.')
    rmSync(this.#serverFile, { force: true })
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', this.#program], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        HOLDFAST_DATA_DIR: this.dataDir,
        HOLDFAST_PORT: '0',
        HOLDFAST_DNS_PORT: '0',
        ...this.#env,
      },
    })
    this.#child = child
    this.#output = ''
    const keep = (chunk: Buffer) => {
      this.#output = (this.#output + chunk).slice(-20_000)
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    return child
  }

  /** The last lines that it printed. */
  get output() {
    return this.#output
  }

  /** SIGKILL: no chance to finish anything. Resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** A graceful stop; answers the exit code. */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM')
  }

  /** Stops it, and the PostgreSQL that a killed one left running, and deletes its data folder. */
  async remove(): Promise<void> {
    await this.stop()
    if (existsSync(this.dataDir)) await clearPostgres(this.dataDir, makeLog({ level: 'silent' }))
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  get #serverFile() {
    return join(this.dataDir, 'server.json')
  }

  async #end(signal: NodeJS.Signals) {
    const child = this.#child
    this.#child = null
    if (!child || hasEnded(child)) return child?.exitCode ?? null
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
    return child.exitCode
  }
}

/** PostgreSQL does not run as root, and its user must be able to enter when the tests do. */
export function makeDataDir(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'))
  chmodSync(folder, 0o711)
  return folder
}

function hasEnded({ exitCode, signalCode }: ChildProcess) {
  return exitCode !== null || signalCode !== null
}

function endOf({ exitCode, signalCode }: ChildProcess) {
  return exitCode === null ? String(signalCode) : `exit code ${exitCode}`
}
