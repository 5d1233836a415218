import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Secret } from '../secret.ts'

/** Starts `worker-process.ts` and resolves when it has taken its job. The caller kills it. */
export async function startLingeringWorker(database: Secret<string>): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'worker-process.ts')
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    env: { ...process.env, DATABASE_URL: database.reveal() },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}
