import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** A worker as a process of its own, which reads its world from HOLDFAST_TEST_WORLD; what it complains of is seen. */
export function startKillWorker(program: string, world: object): ChildProcess {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, HOLDFAST_TEST_WORLD: JSON.stringify(world) },
  })
}

/** Resolves with the first that it says: that it is ready. */
export async function untilReady(worker: ChildProcess): Promise<void> {
  await Promise.race([once(worker.stdout!, 'data'), once(worker, 'exit')])
  if (worker.exitCode !== null) throw new Error(`The worker ended at its start, with ${worker.exitCode}.`)
}

/** SIGKILL. Resolves when the process is gone. */
export async function killWorker(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null) throw new Error(`The worker ended by itself, with ${worker.exitCode}.`)
  const ended = once(worker, 'exit')
  worker.kill('SIGKILL')
  await ended
}
