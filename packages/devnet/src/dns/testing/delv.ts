import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { formatBindTrustAnchors, type TrustAnchor } from '@holdfast/protocols/dnssec'
import type { OtherVerdict } from '@holdfast/protocols/dnssec/testing/crafted-case'

/** What delv (Debian bind9-dnsutils) prints; HOLDFAST_DELV names the program when it is not on the PATH. */
export async function runDelv(anchorFile: string, port: number, name: string): Promise<string> {
  const program = process.env.HOLDFAST_DELV ?? 'delv'
  const args = ['@127.0.0.1', '-p', String(port), '-a', anchorFile, '+root=.', name, 'TXT']
  const { stdout, stderr } = await promisify(execFile)(program, args, { timeout: 15_000 })
  return stdout + stderr
}

/** Asks delv about the TXT records at `name`, with these anchors, at the server on this port. */
export async function delvVerdict(
  anchors: readonly TrustAnchor[],
  port: number,
  name: string,
): Promise<OtherVerdict> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-delv-'))
  const anchorFile = join(folder, 'anchors.conf')
  writeFileSync(anchorFile, formatBindTrustAnchors(anchors))
  try {
    return verdictIn(await runDelv(anchorFile, port, name))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function verdictIn(output: string): OtherVerdict {
  // Said of the alias or of the proof that there is none, and then of what it leads to.
  if (output.includes('unsigned answer')) return 'insecure'
  if (output.includes('; negative response, fully validated')) return 'denied'
  // The alias is validated, its target is not there.
  if (output.includes('resolution failed: ncache nx')) return 'denied'
  return output.includes('; fully validated') && /\sTXT\s+"/.test(output) ? 'secure' : 'refused'
}
