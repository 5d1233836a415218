import { execFileSync } from 'node:child_process'

/** The processes that name `folder` in their command line or that `pid` started, as `ps` shows them. */
export function processesOf(folder: string, pid: number): string[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' }).split('\n')
  return lines.filter((line) => {
    const [own, parent] = line.trim().split(/\s+/).map(Number)
    return own === pid || parent === pid || line.includes(folder)
  })
}
