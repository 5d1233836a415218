import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { PostgresError } from './postgres-error.ts'

/** Under which user PostgreSQL runs; `null`: as ourselves. */
export type RunAs = { name: string; uid: number; gid: number } | null

/**
 * PostgreSQL refuses to run as root. As root we use the machine's user `postgres`, and where there is none, `nobody`;
 * no user is created. (initdb needs the user to have a name, so a bare number will not do.)
 */
export async function chooseUser(passwdFile = '/etc/passwd'): Promise<RunAs> {
  if (process.getuid?.() !== 0) return null
  const passwd = await readFile(passwdFile, 'utf8')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] =
      passwd
        .split('\n')
        .find((line) => line.startsWith(`${name}:`))
        ?.split(':') ?? []
    if (uid && gid) return { name, uid: Number(uid), gid: Number(gid) }
  }
  throw new PostgresError(
    'PostgreSQL refuses to run as root, and this machine has neither a user postgres nor a user nobody. ' +
      'Start Holdfast as an ordinary user, or name a server in DATABASE_URL.',
  )
}

export type Finished = { code: number | null; output: string }

/** Runs a program to its end; `output` is stdout and stderr together. Throws when it cannot be started. */
export function runToEnd(file: string, args: readonly string[], runAs: RunAs): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawnAs(file, args, runAs, ['ignore', 'pipe', 'pipe'])
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
  })
}

/** Starts a program outside of our process group, so that a terminal's Ctrl-C does not reach it. */
export function spawnAs(
  file: string,
  args: readonly string[],
  runAs: RunAs,
  stdio: ('ignore' | 'pipe' | number)[],
): ChildProcess {
  return spawn(file, args, {
    ...(runAs && { uid: runAs.uid, gid: runAs.gid }),
    // The environment may hold DATABASE_URL, PG* variables and other things that are not for it.
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    cwd: '/',
    detached: true,
    stdio,
  })
}

/** Whether that user can reach and execute (`x`) or write (`w`) `path`; asked by trying, so that ACLs count too. */
export async function canReach(path: string, right: 'x' | 'w', runAs: RunAs): Promise<boolean> {
  const { code } = await runToEnd('/bin/sh', ['-c', `test -${right} "$0"`, path], runAs)
  return code === 0
}
