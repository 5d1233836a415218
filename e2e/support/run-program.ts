import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/** Runs a TypeScript program of ours as its users' commands do, to its end. */
export async function runProgram(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  /** Hears what it prints while it runs. */
  listener: (text: string) => void = () => undefined,
): Promise<Ended> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', file, ...args],
    {
      cwd: join(import.meta.dirname, '..', '..'),
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    },
  )
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => listener(String(chunk)))
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, 'close'),
  ])
  return { code, stdout, stderr }
}
