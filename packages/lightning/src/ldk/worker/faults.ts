/** Primary result codes of SQLite by which a file or its disk fails: READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB. */
const FILE_FAULTS: ReadonlySet<number> = new Set([8, 10, 11, 13, 14, 26])

/** Whether WASM panicked: its instance is broken, and every node in it. */
export function isPanic(cause: unknown): boolean {
  return causesOf(cause).some((one) => one instanceof WebAssembly.RuntimeError)
}

/** Whether it was the file of one node, or the disk below it, and nothing worse: the other nodes are as they were. */
export function isFileFault(cause: unknown): boolean {
  return !isPanic(cause) && causesOf(cause).some(isOfFile)
}

/** With all that caused it. */
export function explain(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const inner = cause.cause === undefined ? '' : ` (${explain(cause.cause)})`
  return `${cause.stack ?? cause.message}${inner}`
}

function isOfFile(error: unknown): boolean {
  const { code, errcode, syscall } = error as { code?: unknown; errcode?: unknown; syscall?: unknown }
  return code === 'ERR_SQLITE_ERROR' ? FILE_FAULTS.has(Number(errcode) & 0xff) : syscall === 'fdatasync'
}

function causesOf(cause: unknown): object[] {
  if (typeof cause !== 'object' || cause === null) return []
  return [cause, ...causesOf('cause' in cause ? cause.cause : undefined)]
}
