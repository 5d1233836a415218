import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a running server writes to `server.json` in its data folder. */
export type ServerFile = {
  url: string
  pid: number
  dns: { host: string; port: number; anchorFile: string }
}

const READY_WITHIN_MS = 60_000

/** The real server as a process of its own, on random ports, in a data folder that outlives it. */
export class ServerProcess {
  readonly dataDir: string
  readonly #env: NodeJS.ProcessEnv
  #child: ChildProcess | null = null
  #output = ''

  constructor(env: NodeJS.ProcessEnv = {}, dataDir = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'))) {
    this.dataDir = dataDir
    this.#env = env
  }

  /** Starts it and resolves when it is ready to serve. */
  async start(): Promise<ServerFile> {
    const file = join(this.dataDir, 'server.json')
    rmSync(file, { force: true })
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', 'apps/server/src/main.ts'],
      {
        cwd: join(import.meta.dirname, '..', '..'),
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          HOLDFAST_DATA_DIR: this.dataDir,
          HOLDFAST_PORT: '0',
          HOLDFAST_DNS_PORT: '0',
          ...this.#env,
        },
      },
    )
    this.#child = child
    this.#output = ''
    const keep = (chunk: Buffer) => {
      this.#output = (this.#output + chunk).slice(-20_000)
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    const deadline = Date.now() + READY_WITHIN_MS
    while (!existsSync(file)) {
      if (child.exitCode !== null)
        throw new Error(`The server ended with ${child.exitCode}:\n${this.#output}`)
      if (Date.now() > deadline) throw new Error(`The server was not ready in time:\n${this.#output}`)
      await sleep(20)
    }
    return JSON.parse(readFileSync(file, 'utf8')) as ServerFile
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

  /** Stops it and deletes its data folder. */
  async remove(): Promise<void> {
    await this.stop()
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  async #end(signal: NodeJS.Signals) {
    const child = this.#child
    this.#child = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
    return child.exitCode
  }
}
