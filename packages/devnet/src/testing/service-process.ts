import { spawn } from 'node:child_process'
import { chmodSync, chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const START_WITHIN_MS = 30_000
const STOP_WITHIN_MS = 20_000

/** The program that `npm run test:services` installed and named in the environment. */
export function requiredProgram(variable: string): string {
  const path = process.env[variable]
  if (path === undefined || path === '') {
    throw new Error(`${variable} is not set: run these tests with npm run test:services`)
  }
  return path
}

/** A port of the loopback address that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject()))
    })
  })
}

/** Who runs a program that refuses root. */
export type RunAs = { readonly uid: number; readonly gid: number }

export type Folder = { readonly folder: string; remove(): void }

/** A folder of its own for one server, below the system's temporary folder so that any user can reach it. */
export function makeFolder(name: string, owner?: RunAs): Folder {
  const folder = mkdtempSync(join(tmpdir(), `holdfast-${name}-`))
  chmodSync(folder, 0o700)
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid)
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** `startService` in a folder that goes away with it: when it is stopped, or did not start. */
export async function startServiceIn(
  { folder, remove }: Folder,
  program: string,
  args: readonly string[],
  isReady: () => Promise<boolean>,
): Promise<{ stop(): Promise<void> }> {
  try {
    const service = await startService(program, args, { cwd: folder, isReady })
    return {
      async stop() {
        await service.stop()
        remove()
      },
    }
  } catch (fault) {
    remove()
    throw fault
  }
}

export type Service = { readonly pid: number; stop(): Promise<void>; kill(): Promise<void> }

/**
 * Starts a server in the foreground and waits until `isReady` answers true. When it ends early or is not ready in
 * time, throws with the end of what it printed.
 */
export async function startService(
  program: string,
  args: readonly string[],
  options: {
    readonly cwd: string
    readonly runAs?: RunAs
    readonly stopSignal?: NodeJS.Signals
    isReady(): Promise<boolean>
  },
): Promise<Service> {
  // A file and not a pipe: a server must not wait for a test process that is too busy to read.
  const output = join(options.cwd, 'output.log')
  const handle = openSync(output, 'a')
  const child = spawn(program, args, {
    cwd: options.cwd,
    stdio: ['ignore', handle, handle],
    ...options.runAs,
  })
  closeSync(handle)
  let complaint = ''
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', (error) => {
      complaint = error.message
      resolve()
    })
  })
  const stopWith = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    const late = sleep(STOP_WITHIN_MS, 'late', { ref: false })
    if ((await Promise.race([ended, late])) === 'late') {
      child.kill('SIGKILL')
      await ended
    }
  }
  const running = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null
  for (const deadline = Date.now() + START_WITHIN_MS; running() && Date.now() < deadline; await sleep(20)) {
    if (await options.isReady()) {
      const stop = () => stopWith(options.stopSignal ?? 'SIGTERM')
      return { pid: child.pid!, stop, kill: () => stopWith('SIGKILL') }
    }
  }
  const why = running() ? `was not ready within ${START_WITHIN_MS} ms` : 'ended at once'
  await stopWith('SIGKILL')
  throw new Error(`${program} ${why}: ${complaint}\n${readFileSync(output, 'utf8').slice(-4_000)}`)
}
