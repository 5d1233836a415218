import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type LdkWorld, NODE_NAMES } from '../ldk-world.ts'
import type { Promised } from './promised.ts'

const CHILD = fileURLToPath(new URL('./killed-child.ts', import.meta.url))

/**
 * Opens the world's nodes in a process that pays without pause, and notes what was promised. It is killed `lifeMs` after
 * it began to pay, sometimes while its nodes open already; or it may write no file beyond `fileBlocks` of 512 bytes, as on
 * a disk that is full, and ends by itself.
 */
export async function liveAndDie(
  world: LdkWorld,
  death: { lifeMs: number } | { fileBlocks: number },
  promised: Promised,
): Promise<void> {
  const isKilled = 'lifeMs' in death
  const limit = isKilled ? 'unlimited' : death.fileBlocks
  const run = ['-c', `ulimit -f ${limit} && exec "$0" "$@"`, process.execPath, CHILD, settingsOf(world)]
  const child = spawn('sh', run, { stdio: ['ignore', 'pipe', isKilled ? 'inherit' : 'ignore'] })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const lines: string[] = []
  let rest = ''
  let armed = !isKilled
  const arm = () => {
    if (!armed && isKilled) setTimeout(() => child.kill('SIGKILL'), death.lifeMs)
    armed = true
  }
  if (isKilled && death.lifeMs % 4 < 1) arm()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
    if (parts.includes('paying')) arm()
  })
  const exitCode = await ended
  const errors = lines.filter((line) => line.startsWith('error '))
  if (isKilled && (exitCode !== null || errors.length > 0))
    throw new Error(`The child ended by itself, with exit code ${exitCode}: ${errors}`)
  if (!isKilled && !errors.some((line) => line.includes('file of a Lightning node failed')))
    throw new Error(`The child had room to write, and ended with exit code ${exitCode}.`)
  note(lines, promised)
}

function settingsOf(world: LdkWorld): string {
  const nodes = NODE_NAMES.map((name) => {
    const options = world.optionsOf(name)
    return [name, { ...options, seed: Buffer.from(options.seed).toString('hex') }]
  })
  return JSON.stringify({ url: world.url, nodes: Object.fromEntries(nodes) })
}

function note(lines: readonly string[], { asked, holds }: Promised): void {
  for (const line of lines) {
    const [kind, paymentId, paymentHash, preimage] = line.split(' ')
    if (kind === 'error' || !paymentId || !paymentHash) continue
    if (preimage) holds.set(paymentId, { paymentId, paymentHash, preimage, settled: kind === 'settled' })
    else asked.set(paymentId, { paymentId, paymentHash, accepted: kind === 'accepted' })
  }
}
