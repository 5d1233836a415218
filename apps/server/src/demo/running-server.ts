import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerFile } from '../start-holdfast.ts'
import { DemoError } from './demo-error.ts'
import type { Tell } from './story.ts'

export type RunningServer = {
  url: string
  dns: { host: string; port: number; anchorFile: string }
  dataDir: string
  devnetFolder: string
  /** We started it, and it ends with the story. */
  isOurs: boolean
  /** Ends it when we started it. */
  stop(): Promise<void>
}

/** Many times what a quiet machine needs. */
const READY_WITHIN_MS = 120_000
/** One that is gone refuses at once; one that is busy may take its time. */
const ANSWERS_WITHIN_MS = 30_000
const MAIN = join(import.meta.dirname, '..', 'main.ts')

/** How a server of our own is started. */
export type OwnServer = {
  readonly program?: string
  readonly withinMs?: number
  readonly env?: NodeJS.ProcessEnv
}

/** The server that runs on this data folder; when there is none, one of our own. */
export async function findOrStartServer(
  dataDir: string,
  tell: Tell,
  own: OwnServer = {},
): Promise<RunningServer> {
  const running = await findServer(dataDir)
  if (running) {
    tell('server-found', { url: running.url })
    return { ...describe(running, dataDir), isOurs: false, stop: async () => undefined }
  }
  tell('server-starting', { dataDir })
  const began = performance.now()
  const { server, stop } = await startServer(dataDir, own)
  try {
    const ours = { ...describe(server, dataDir), isOurs: true, stop }
    tell('server-ready', { url: server.url, ms: Math.round(performance.now() - began) })
    return ours
  } catch (error) {
    await stop()
    throw error
  }
}

function describe(server: ServerFile, dataDir: string) {
  if (!server.dns)
    throw new DemoError('DEVNET_NOT_FOUND', 'The server runs without the devnet (HOLDFAST_DEVNET=off).')
  return { url: server.url, dns: server.dns, dataDir, devnetFolder: join(dataDir, 'devnet') }
}

/** Only a server that answers counts: a killed one leaves its file behind. */
async function findServer(dataDir: string): Promise<ServerFile | null> {
  const server = readServerFile(join(dataDir, 'server.json'))
  if (server === null) return null
  const answer = await fetch(`${server.url}/ready`, { signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) }).catch(
    () => null,
  )
  return answer?.ok ? server : null
}

/** Null without a file, also when it goes at this moment, and for one that says nothing. */
function readServerFile(file: string): ServerFile | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ServerFile
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

async function startServer(
  dataDir: string,
  { program = MAIN, withinMs = READY_WITHIN_MS, env = process.env }: OwnServer,
) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...env, HOLDFAST_DATA_DIR: dataDir, HOLDFAST_PORT: '0', HOLDFAST_DNS_PORT: '0' },
  })
  const exited = once(child, 'exit')
  const forget = endWithUs(child)
  const stop = async () => {
    forget()
    if (!hasEnded(child)) child.kill('SIGTERM')
    await exited
  }
  const deadline = Date.now() + withinMs
  while (true) {
    const server = await findServer(dataDir)
    if (server !== null && server.pid === child.pid) return { server, stop }
    const failure = hasEnded(child)
      ? `The server ended with ${child.exitCode ?? child.signalCode}.`
      : Date.now() > deadline
        ? `The server was not ready within ${withinMs / 1000} s.`
        : null
    if (failure !== null) {
      await stop()
      throw new DemoError('SERVER_FAILED', failure)
    }
    await sleep(50)
  }
}

/**
 * A signal that ends us ends the server first; a terminal's Ctrl-C has reached it already. Answers what takes this back.
 */
function endWithUs(child: ChildProcess): () => void {
  const end = (signal: NodeJS.Signals) => {
    if (signal !== 'SIGINT') child.kill('SIGTERM')
    child.once('exit', () => process.exit(128 + constants.signals[signal]))
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, end)
  return () => {
    for (const signal of signals) process.off(signal, end)
  }
}

/** A story that nobody reads any more ends as one whose terminal was closed, with the server that was started for it. */
export function endWithReader(stream: NodeJS.WritableStream): void {
  stream.on('error', () => process.kill(process.pid, 'SIGHUP'))
}

function hasEnded({ exitCode, signalCode }: ChildProcess) {
  return exitCode !== null || signalCode !== null
}
