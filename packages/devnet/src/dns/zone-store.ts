import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from '../durable-file.ts'
import { zoneFileName } from './zone-file-name.ts'

/** A TXT RRset of one record; `name` absolute and in canonical form. */
export type PublishedRecord = { name: string; value: string; ttlSeconds: number }

export type ZoneState = { serial: number; records: PublishedRecord[] }

/** What was published in one zone, in a file that is replaced whole before a change is acknowledged. */
export class ZoneStore {
  readonly #file: string

  constructor(folder: string, apex: string) {
    this.#file = join(folder, `${zoneFileName(apex)}.zone.json`)
  }

  load(): ZoneState {
    if (!existsSync(this.#file)) return { serial: 0, records: [] }
    try {
      const state = JSON.parse(readFileSync(this.#file, 'utf8')) as ZoneState
      if (!Number.isSafeInteger(state.serial) || !Array.isArray(state.records))
        throw new TypeError('not a zone')
      return state
    } catch (cause) {
      throw new Error(`${this.#file} is damaged; remove it to begin with an empty zone`, { cause })
    }
  }

  save(state: ZoneState): void {
    writeFileDurably(this.#file, `${JSON.stringify(state)}\n`)
  }
}
