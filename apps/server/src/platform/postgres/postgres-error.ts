/** The embedded PostgreSQL cannot be used; `message` says why and what to do, without the server's own jargon. */
export class PostgresError extends Error {
  override readonly name = 'PostgresError'
}

const EXPLANATIONS: readonly [RegExp, string][] = [
  // Before the disk: it is a device without space, too.
  [
    /could not create shared memory segment|could not resize shared memory/i,
    'There is too little shared memory (/dev/shm). Give the machine or container more.',
  ],
  [/No space left on device|Check free disk space/i, 'The disk is full. Free some space and start again.'],
  [/Disk quota exceeded/i, 'The disk quota is used up. Free some space and start again.'],
  [/Read-only file system/i, 'The file system is read-only. Name a writable folder in HOLDFAST_DATA_DIR.'],
  [
    /incompatible with server|not compatible with this version/i,
    'The data was written by another major version of PostgreSQL. Use the Holdfast version that wrote it, or `npm run reset`.',
  ],
  [
    /error while loading shared libraries/i,
    'PostgreSQL lacks a library. If packages were installed with --ignore-scripts, run: npm rebuild',
  ],
  [
    /is needed by initdb but was not found/i,
    'Its own shell cannot run programs in a path that has a $, `, " or \\ in it. Move the project to a path without them, or install it anew.',
  ],
  [/has wrong ownership|has invalid permissions/i, 'The data folder belongs to another user.'],
  [/Permission denied/i, 'The user that runs PostgreSQL may not read or write its folder.'],
]

/** Turns what `initdb` or `postgres` wrote before it gave up into an error that a person can act on. */
export function explainFailure(what: string, output: string): PostgresError {
  const known = EXPLANATIONS.find(([pattern]) => pattern.test(output))?.[1]
  const said = output.trim().split('\n').slice(-4).join('\n')
  return new PostgresError(`${what}.${known ? ` ${known}` : ''}\nPostgreSQL said: ${said || '(nothing)'}`)
}
