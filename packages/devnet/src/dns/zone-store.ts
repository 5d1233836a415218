import { existsSync, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFileDurably } from '../durable-file.ts'
import { zoneFileName } from './zone-file-name.ts'

/** A TXT RRset of one record; `name` absolute and in canonical form. */
export type PublishedRecord = { name: string; value: string; ttlSeconds: number }

export type ZoneState = { serial: number; records: PublishedRecord[] }

/** What one write changes: records that are new or replaced, and names that have none any more. */
export type ZoneChange = { serial: number; set: PublishedRecord[]; unset: string[] }

/** Below this size the log is not folded into the snapshot, however small that is. */
const SMALL_LOG_BYTES = 256 * 1024

/**
 * What was published in one zone: a snapshot, and a log with a line for each write since. A write costs what it
 * changes, not what the zone holds; when the log has outgrown the snapshot, a new snapshot takes the place of both.
 */
export class ZoneStore {
  readonly #snapshot: string
  readonly #log: string
  #snapshotBytes = 0
  /** Where the log's last whole line ends. */
  #logBytes = 0
  /** After a failed write nobody knows what the log holds: the next one begins anew. */
  #logIsDoubtful = false

  constructor(folder: string, apex: string) {
    this.#snapshot = join(folder, `${zoneFileName(apex)}.zone.json`)
    this.#log = join(folder, `${zoneFileName(apex)}.zone.log`)
  }

  /** Reads the snapshot and replays the log; a last line that a crash cut short was never acknowledged. */
  load(): ZoneState {
    const { serial, records } = this.#loadSnapshot()
    const byName = new Map(records.map((record) => [record.name, record]))
    const state = { serial }
    for (const line of this.#wholeLines()) {
      const change = this.#parse<ZoneChange>(
        this.#log,
        line,
        ({ set, unset }) => Array.isArray(set) && Array.isArray(unset),
      )
      // A crash after the snapshot was written and before the log was emptied leaves lines that it holds already.
      if (change.serial <= serial) continue
      if (change.serial !== state.serial + 1) throw this.#damaged(this.#log)
      for (const name of change.unset) byName.delete(name)
      for (const record of change.set) byName.set(record.name, record)
      state.serial = change.serial
    }
    return { ...state, records: [...byName.values()] }
  }

  /** Resolves when the change is on disk. `whole` is the zone after it. One call at a time. */
  async save(change: ZoneChange, whole: () => ZoneState): Promise<void> {
    if (this.#logIsDoubtful || this.#logBytes > SMALL_LOG_BYTES + this.#snapshotBytes) {
      return this.#replaceAll(whole())
    }
    this.#logIsDoubtful = true
    await this.#append(`${JSON.stringify(change)}\n`)
    this.#logIsDoubtful = false
  }

  async #replaceAll(state: ZoneState): Promise<void> {
    this.#logIsDoubtful = true
    const content = `${JSON.stringify(state)}\n`
    await replaceFileDurably(this.#snapshot, content)
    await replaceFileDurably(this.#log, '')
    this.#snapshotBytes = content.length
    this.#logBytes = 0
    this.#logIsDoubtful = false
  }

  async #append(line: string): Promise<void> {
    const handle = await open(this.#log, 'r+')
    try {
      const bytes = Buffer.from(line)
      await handle.truncate(this.#logBytes)
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, this.#logBytes + done)
        done += bytesWritten
      }
      await handle.datasync()
      this.#logBytes += bytes.length
    } finally {
      await handle.close()
    }
  }

  #loadSnapshot(): ZoneState {
    if (!existsSync(this.#snapshot)) return { serial: 0, records: [] }
    const text = readFileSync(this.#snapshot, 'utf8')
    this.#snapshotBytes = text.length
    return this.#parse<ZoneState>(this.#snapshot, text, ({ records }) => Array.isArray(records))
  }

  #wholeLines(): string[] {
    this.#logIsDoubtful = !existsSync(this.#log)
    if (this.#logIsDoubtful) return []
    const bytes = readFileSync(this.#log)
    this.#logBytes = bytes.lastIndexOf('\n') + 1
    return bytes.subarray(0, this.#logBytes).toString('utf8').split('\n').slice(0, -1)
  }

  #parse<T extends { serial: number }>(file: string, text: string, isWhole: (parsed: T) => boolean): T {
    try {
      const parsed = JSON.parse(text) as T
      if (!Number.isSafeInteger(parsed.serial) || !isWhole(parsed)) throw new TypeError('not of a zone')
      return parsed
    } catch (cause) {
      throw this.#damaged(file, cause)
    }
  }

  #damaged(file: string, cause?: unknown): Error {
    return new Error(`${file} is damaged; remove it to begin without what it holds`, { cause })
  }
}
