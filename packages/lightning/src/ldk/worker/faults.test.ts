import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { explain, isFileFault, isPanic } from './faults.ts'

const panic = new WebAssembly.RuntimeError('unreachable')
const sqlite = (errcode: number) =>
  Object.assign(new Error('as SQLite says'), { code: 'ERR_SQLITE_ERROR', errcode })
const around = (cause: unknown) => new Error('A callback given to LDK failed.', { cause })

/** What node:sqlite itself throws for a row that is there already. */
function constraintBroken(): unknown {
  const database = new DatabaseSync(':memory:')
  database.exec('CREATE TABLE t (a PRIMARY KEY); INSERT INTO t VALUES (1)')
  try {
    database.exec('INSERT INTO t VALUES (1)')
    return null
  } catch (cause) {
    return cause
  } finally {
    database.close()
  }
}

describe('what failed', () => {
  test.each([
    ['a panic', panic, 'panic'],
    ['a panic within a callback', around(panic), 'panic'],
    ['a panic that a fault of the file led to', around(Object.assign(sqlite(10), { cause: panic })), 'panic'],
    ['a file that is no database', sqlite(26), 'file'],
    ['a page that cannot be read: SQLITE_IOERR_READ', sqlite(10 | (1 << 8)), 'file'],
    ['a corrupt index: SQLITE_CORRUPT_INDEX', sqlite(11 | (3 << 8)), 'file'],
    ['a full disk, within a callback', around(sqlite(13)), 'file'],
    [
      'a disk that does not take what was written',
      Object.assign(new Error('EIO'), { syscall: 'fdatasync' }),
      'file',
    ],
    ['a row that is there already, which is our mistake', constraintBroken(), 'other'],
    ['a connection', Object.assign(new Error('ECONNREFUSED'), { syscall: 'connect' }), 'other'],
    ['anything else', around('a text'), 'other'],
    ['nothing', undefined, 'other'],
  ])('%s', (_what, cause, expected) => {
    expect(isPanic(cause) ? 'panic' : isFileFault(cause) ? 'file' : 'other').toBe(expected)
  })

  test('is explained with all that caused it', () => {
    expect(explain(around(sqlite(13)))).toMatch(/A callback given to LDK failed.*as SQLite says/s)
    expect(explain('a text')).toBe('a text')
  })
})
