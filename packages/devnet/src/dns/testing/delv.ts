import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** What delv (Debian bind9-dnsutils) prints; HOLDFAST_DELV names the program when it is not on the PATH. */
export async function runDelv(anchorFile: string, port: number, name: string): Promise<string> {
  const program = process.env.HOLDFAST_DELV ?? 'delv'
  const args = ['@127.0.0.1', '-p', String(port), '-a', anchorFile, '+root=.', name, 'TXT']
  const { stdout, stderr } = await promisify(execFile)(program, args, { timeout: 15_000 })
  return stdout + stderr
}
