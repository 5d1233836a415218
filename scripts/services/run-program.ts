import { spawn } from 'node:child_process'

/** A program of the system could not do its part; `message` tells the user which and what to do instead. */
export class ServiceInstallError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ServiceInstallError'
  }
}

/** Runs a program to its end and answers what it printed. Throws with the end of its complaints. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { cwd?: string; timeoutMs: number },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
    })
    let printed = ''
    let complaints = ''
    child.stdout.on('data', (chunk) => {
      printed += String(chunk)
    })
    child.stderr.on('data', (chunk) => {
      complaints = (complaints + String(chunk)).slice(-2_000)
    })
    child.once('error', (cause) => {
      reject(new ServiceInstallError(`${program} cannot be run: ${cause.message}`, { cause }))
    })
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(printed)
      const why = signal === null ? `exit code ${code}` : `no end within ${options.timeoutMs / 1000} s`
      reject(new ServiceInstallError(`${program} ${args.slice(0, 40).join(' ')}: ${why}\n${complaints}`))
    })
  })
}
