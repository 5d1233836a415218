import { type FileHandle, open } from 'node:fs/promises'
import type { OpenDatabase } from '@holdfast/server/platform/database'
import { type JournalEntry, readEntity, readHeads } from '@holdfast/server/platform/journal/read-entries'
import { type Terminal, UsageError } from '../command.ts'
import { isoTime } from '../escrow/escrow-text.ts'
import type { EntityName } from './entity-name.ts'
import {
  EXPORT_FORMAT,
  type ExportEnd,
  type ExportHead,
  entryLine,
  HASH_RULE,
  SIGNED_RULE,
  signedRequestLine,
} from './export-format.ts'
import { makeProgress } from './progress.ts'
import { countEntries, readJournal } from './read-journal.ts'
import { readSignedRequests, signedSince } from './signed-requests.ts'

export type ExportWish = {
  /** Null: all. */
  readonly entity: EntityName | null
  /** Milliseconds since 1970; `to` is exclusive. */
  readonly from: number | null
  readonly to: number | null
  /** Null: the terminal. */
  readonly file: string | null
  readonly now: number
}

/** Writes the entries as they stand now; answers how many. @throws UsageError when the file cannot be written. */
export async function exportJournal(
  { database, terminal }: { readonly database: OpenDatabase; readonly terminal: Terminal },
  { entity, from, to, file, now }: ExportWish,
): Promise<ExportEnd> {
  const sink = await openSink(file, terminal)
  try {
    const since = await signedSince(database)
    const head: ExportHead = {
      format: EXPORT_FORMAT,
      exportedAt: isoTime(now),
      entity: entity && `${entity.stream}:${entity.id}`,
      from: from === null ? null : isoTime(from),
      to: to === null ? null : isoTime(to),
      rule: HASH_RULE,
      signedSince: since === null ? null : new Date(since).toISOString(),
      signedRule: SIGNED_RULE,
    }
    await sink.write([JSON.stringify(head)])
    const heads = await readHeads(database.db)
    const progress = makeProgress(terminal, 'entries read', entity === null ? countEntries(heads) : null)
    const pages = entity === null ? readJournal(database, heads) : readOne(database, entity)
    const entities = new Set<string>()
    const written = new Set<string>()
    let entries = 0
    for await (const page of pages) {
      const chosen = page.filter(({ at }) => (from === null || at >= from) && (to === null || at < to))
      for (const { stream, entityId } of chosen) entities.add(`${stream} ${entityId}`)
      entries += chosen.length
      const events = await readSignedRequests(database, chosen, (id) => written.has(id))
      for (const { id } of events) written.add(id)
      await sink.write([...events.map(signedRequestLine), ...chosen.map(entryLine)])
      progress.add(page.length)
    }
    const end: ExportEnd = { end: true, entries, entities: entities.size }
    await sink.write([JSON.stringify(end)])
    return end
  } finally {
    await sink.close()
  }
}

async function* readOne(
  { db }: OpenDatabase,
  { stream, id }: EntityName,
): AsyncGenerator<readonly JournalEntry[]> {
  yield await readEntity(db, stream, id)
}

type Sink = { write(lines: readonly string[]): Promise<void>; close(): Promise<void> }

/** A file that only its owner may read: an export tells who agreed with whom on what. */
async function openSink(file: string | null, terminal: Terminal): Promise<Sink> {
  if (file === null) {
    return {
      async write(lines) {
        for (const line of lines) terminal.out(line)
        await terminal.drain?.()
      },
      close: async () => undefined,
    }
  }
  const handle: FileHandle = await open(file, 'wx', 0o600).catch((cause: Error) => {
    throw new UsageError(`${file} cannot be written: ${cause.message}`, { cause })
  })
  return {
    async write(lines) {
      if (lines.length > 0) await handle.writeFile(`${lines.join('\n')}\n`)
    },
    close: () => handle.close(),
  }
}
