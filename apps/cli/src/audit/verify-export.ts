import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Terminal, UsageError } from '../command.ts'
import { type ExportHead, readLine } from './export-format.ts'
import { type Head, makeChainFollower } from './follow-chains.ts'
import { makeProgress } from './progress.ts'
import { makeSignatureFollower, type SignatureCount } from './signed-requests.ts'

export type ExportAudit = {
  readonly head: ExportHead
  readonly entries: number
  /** The last entry of each entity. */
  readonly heads: readonly Head[]
  readonly signatures: SignatureCount
  /** What is wrong, with the line in which it is. */
  readonly findings: readonly { readonly line: number; readonly detail: string }[]
}

/** Verifies an export by itself: no database, no server. @throws UsageError for a file that is none. */
export async function verifyExport(file: string, terminal: Terminal): Promise<ExportAudit> {
  const findings: { line: number; detail: string }[] = []
  const progress = makeProgress(terminal, 'lines read', null)
  let head: ExportHead | null = null
  let chains = makeChainFollower()
  let signatures = makeSignatureFollower(null)
  let entries = 0
  let line = 0
  let ended = false
  const say = (detail: string) => findings.push({ line, detail })
  for await (const text of linesOf(file)) {
    line++
    progress.add(1)
    const read = readLine(text)
    if (head === null) {
      if (read?.is !== 'head') throw new UsageError(`${file} is no export of the journal`)
      head = read.head
      // A span of time begins in the middle of most chains.
      chains = makeChainFollower({ mayBegin: head.from !== null })
      signatures = makeSignatureFollower(momentOf(head.signedSince))
    } else if (ended) say('something stands behind the end')
    else if (read === null || read.is === 'head') say('this is no entry')
    else if (read.is === 'end') {
      ended = true
      if (read.end.entries !== entries || read.end.entities !== chains.entities())
        say(`the end tells of ${read.end.entries} entries of ${read.end.entities} entities`)
    } else if (read.is === 'signed-request') signatures.learn(read.event)
    else {
      entries++
      const broken = chains.follow(read.entry)
      if (broken) say(`${broken.stream}:${broken.entityId}, entry ${broken.seq}: ${broken.fault}`)
      const { stream, entityId, seq } = read.entry
      const fault = signatures.check(read.entry)
      if (fault) say(`${stream}:${entityId}, entry ${seq}: ${fault}`)
    }
  }
  if (head === null) throw new UsageError(`${file} is no export of the journal`)
  if (!ended) say('the end is missing')
  return { head, entries, heads: [...chains.heads()], signatures: signatures.count(), findings }
}

function momentOf(iso: unknown): number | null {
  const ms = typeof iso === 'string' ? Date.parse(iso) : Number.NaN
  return Number.isNaN(ms) ? null : ms
}

async function* linesOf(file: string): AsyncGenerator<string> {
  try {
    yield* createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
  } catch (cause) {
    throw new UsageError(`${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
