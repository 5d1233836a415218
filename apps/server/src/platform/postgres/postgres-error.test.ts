import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { makeLog } from '../log.ts'
import { openPostgres } from './open-postgres.ts'
import { explainFailure } from './postgres-error.ts'

const run = promisify(execFile)

test.each([
  ['could not write to file "pg_wal/x": No space left on device', 'The disk is full'],
  [
    'could not extend file "base/1/2675": wrote only 4096 of 8192 bytes\nHINT:  Check free disk space.',
    'The disk is full',
  ],
  ['FATAL:  could not write lock file: Disk quota exceeded', 'The disk quota is used up'],
  ['could not create directory "x": Read-only file system', 'The file system is read-only'],
  [
    'FATAL:  could not resize shared memory segment "/PostgreSQL.1" to 11176 bytes: No space left on device',
    'too little shared memory',
  ],
  [
    'initdb: error: program "postgres" is needed by initdb but was not found in the same directory as "x"',
    'Move the project to a path without them, or install it anew',
  ],
  ['FATAL:  database files are incompatible with server', 'another major version'],
  ['error while loading shared libraries: libpq.so.5: cannot open', 'npm rebuild'],
  ['FATAL:  data directory "x" has wrong ownership', 'belongs to another user'],
  ['could not access directory "x": Permission denied', 'may not read or write'],
])('%s is explained', (output, explanation) => {
  const { message } = explainFailure('The embedded PostgreSQL did not start', output)
  expect(message).toContain(explanation)
  expect(message).toContain(output)
})

test('what nobody knows is shown as it is, its end at least', () => {
  const { message } = explainFailure('It failed', `${'noise\n'.repeat(50)}the real reason`)
  expect(message).toMatch(/^It failed\.\nPostgreSQL said: (noise\n){3}the real reason$/)
  expect(explainFailure('It failed', ' ').message).toContain('(nothing)')
})

test('a full disk is named, and nothing half made is left', async () => {
  const disk = await mkdtemp(join(tmpdir(), 'holdfast-full-'))
  await chmod(disk, 0o755)
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=755', 'tmpfs', disk]).then(
    () => true,
    () => false,
  )
  try {
    // Without the right to mount a small disk there is none to fill: the explanation is tested above.
    if (!mounted) return expect(process.getuid?.() === 0 || !mounted).toBe(true)
    const failed = openPostgres({ databaseUrl: null, dataDir: disk }, makeLog({ level: 'silent' }))
    await expect(failed).rejects.toThrow(/The disk is full. Free some space and start again./)
    const { stdout } = await run('ls', [join(disk, 'postgres')])
    expect(stdout).not.toContain('cluster')
  } finally {
    if (mounted) await run('umount', [disk])
    await rm(disk, { recursive: true })
  }
})
