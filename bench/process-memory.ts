import { readdirSync, readFileSync } from 'node:fs'

const BYTES_PER_KB = 1024

/** Memory in bytes. `resident` counts a shared page once in each process, `proportional` once in all of them. */
export type Memory = { readonly resident: number; readonly proportional: number }

/** Of one process, from Linux' /proc/PID/smaps_rollup. */
export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return { resident: readKb(text, 'Rss'), proportional: readKb(text, 'Pss') }
}

export function sumOf(memories: readonly Memory[]): Memory {
  const sum = (pick: (memory: Memory) => number) =>
    memories.reduce((total, memory) => total + pick(memory), 0)
  return { resident: sum((memory) => memory.resident), proportional: sum((memory) => memory.proportional) }
}

/** Children of a process, their children and so on. */
export function descendantsOf(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(entry)) continue
    const parent = parentOf(Number(entry))
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), Number(entry)])
  }
  const below = (parent: number): number[] =>
    (children.get(parent) ?? []).flatMap((child) => [child, ...below(child)])
  return below(pid)
}

/** Null when the process has ended meanwhile. */
function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field, the command, may hold spaces and parentheses.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return null
    throw error
  }
}

function readKb(text: string, key: string): number {
  const [, kb] = new RegExp(`^${key}:\\s+([0-9]+) kB$`, 'm').exec(text) ?? []
  if (kb === undefined) throw new Error(`smaps_rollup has no ${key}.`)
  return Number(kb) * BYTES_PER_KB
}
