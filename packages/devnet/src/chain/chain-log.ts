import { createHash } from 'node:crypto'
import {
  closeSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What a record holds. The numbers stand in the file: never reuse one. */
export const RECORD = {
  block: 1,
  mempoolTransaction: 2,
  invalidated: 3,
  reconsidered: 4,
  wallet: 5,
  addressesIssued: 6,
} as const
export type RecordKind = (typeof RECORD)[keyof typeof RECORD]

export type LogRecord = { readonly kind: number; readonly payload: Buffer; readonly position: RecordPosition }
export type RecordPosition = { readonly offset: number; readonly length: number }

/** The file is damaged before its end: records that were once acknowledged cannot be read. */
export class ChainFileDamaged extends Error {
  constructor(file: string, offset: number) {
    super(
      `${file} is damaged at byte ${offset}, before its last record. Restore it from a copy or reset the devnet.`,
    )
    this.name = 'ChainFileDamaged'
  }
}

const FILE_HEADER = Buffer.from('holdfast chain 1\n', 'ascii')
const MARK = Buffer.from([0xf3, 0x48, 0x46, 0x0a])
/** mark, kind (1 byte), payload length (4 bytes, little-endian) */
const PREFIX_BYTES = MARK.length + 5
const CHECKSUM_BYTES = 8
const MAX_PAYLOAD_BYTES = 8_000_000

const syncData = promisify(fdatasync)

/**
 * The one file that the chain keeps: an append-only list of checksummed records. A record is in the operating
 * system's hands when `append` returns, and on the disk when `flush` resolves. A tail torn by a crash is cut off at
 * the next start; damage anywhere else is an error, because those records were acknowledged.
 */
export class ChainLog {
  private readonly file: string
  private readonly handle: number
  private end = 0
  private dirty = false

  private constructor(file: string, handle: number) {
    this.file = file
    this.handle = handle
  }

  /** Opens or creates `chain.log` in `folder`. `replay` must follow before anything is appended. */
  static open(folder: string): ChainLog {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const file = join(folder, 'chain.log')
    const log = new ChainLog(file, openSync(file, 'a+', 0o600))
    syncFolder(folder)
    return log
  }

  /** Hands every record to `take`, oldest first, and mends a torn tail. Throws `ChainFileDamaged`. */
  replay(take: (record: LogRecord) => void): void {
    const size = fstatSync(this.handle).size
    if (size < FILE_HEADER.length) {
      ftruncateSync(this.handle, 0)
      this.write(FILE_HEADER)
      fsyncSync(this.handle)
      return
    }
    if (!this.readAt(0, FILE_HEADER.length).equals(FILE_HEADER)) throw new ChainFileDamaged(this.file, 0)
    this.end = FILE_HEADER.length
    while (this.end < size) {
      const record = this.recordAt(this.end, size)
      if (record === null) {
        if (this.anyRecordAfter(this.end + 1, size)) throw new ChainFileDamaged(this.file, this.end)
        ftruncateSync(this.handle, this.end)
        fsyncSync(this.handle)
        return
      }
      take(record)
      this.end = record.position.offset + record.position.length + CHECKSUM_BYTES
    }
  }

  private recordAt(offset: number, size: number): LogRecord | null {
    if (offset + PREFIX_BYTES > size) return null
    const prefix = this.readAt(offset, PREFIX_BYTES)
    if (!prefix.subarray(0, MARK.length).equals(MARK)) return null
    const length = prefix.readUInt32LE(MARK.length + 1)
    const payloadAt = offset + PREFIX_BYTES
    if (length > MAX_PAYLOAD_BYTES || payloadAt + length + CHECKSUM_BYTES > size) return null
    const rest = this.readAt(payloadAt, length + CHECKSUM_BYTES)
    const payload = rest.subarray(0, length)
    if (!checksum(prefix, payload).equals(rest.subarray(length))) return null
    return { kind: prefix[MARK.length]!, payload, position: { offset: payloadAt, length } }
  }

  private anyRecordAfter(offset: number, size: number): boolean {
    const tail = this.readAt(offset, size - offset)
    for (let at = tail.indexOf(MARK); at !== -1; at = tail.indexOf(MARK, at + 1)) {
      if (this.recordAt(offset + at, size) !== null) return true
    }
    return false
  }

  append(kind: RecordKind, payload: Uint8Array): RecordPosition {
    if (payload.length > MAX_PAYLOAD_BYTES)
      throw new Error(`a record of ${payload.length} bytes is too large`)
    const prefix = Buffer.alloc(PREFIX_BYTES)
    MARK.copy(prefix)
    prefix[MARK.length] = kind
    prefix.writeUInt32LE(payload.length, MARK.length + 1)
    const position = { offset: this.end + PREFIX_BYTES, length: payload.length }
    this.write(Buffer.concat([prefix, payload, checksum(prefix, payload)]))
    return position
  }

  /** All or nothing: when the disk is full, the part that was written is cut off again before the fault is thrown. */
  private write(bytes: Buffer): void {
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.handle, bytes, done)
    } catch (fault) {
      ftruncateSync(this.handle, this.end)
      throw fault
    }
    this.end += bytes.length
    this.dirty = true
  }

  read(position: RecordPosition): Buffer {
    return this.readAt(position.offset, position.length)
  }

  private readAt(offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length)
    for (let done = 0; done < length; ) {
      const count = readSync(this.handle, bytes, done, length - done, offset + done)
      if (count === 0) throw new ChainFileDamaged(this.file, offset + done)
      done += count
    }
    return bytes
  }

  async flush(): Promise<void> {
    if (!this.dirty) return
    this.dirty = false
    await syncData(this.handle)
  }

  close(): void {
    fsyncSync(this.handle)
    closeSync(this.handle)
  }
}

function checksum(prefix: Uint8Array, payload: Uint8Array): Buffer {
  return createHash('sha256').update(prefix).update(payload).digest().subarray(0, CHECKSUM_BYTES)
}

/** Makes the file's name durable, too. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
