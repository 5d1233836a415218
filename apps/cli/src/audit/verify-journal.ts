import type { ChainedEntry } from '@holdfast/core'
import type { OpenDatabase } from '@holdfast/server/platform/database'
import { auditEntity, type EntityAudit } from '@holdfast/server/platform/journal/audit-entity'
import { readHeads } from '@holdfast/server/platform/journal/read-entries'
import type { Terminal } from '../command.ts'
import type { EntityName } from './entity-name.ts'
import { makeChainFollower } from './follow-chains.ts'
import { makeProgress } from './progress.ts'
import { countEntries, readJournal } from './read-journal.ts'
import { REPLAYS } from './replays.ts'
import {
  makeSignatureFollower,
  readSignedRequests,
  type SignatureCount,
  type SignatureFault,
  signedSince,
} from './signed-requests.ts'

/** Something that does not agree. */
export type Finding =
  | { readonly finding: 'position-missing'; readonly lane: number; readonly position: string }
  | {
      readonly finding: 'chain-broken' | SignatureFault
      readonly entity: EntityName
      readonly detail: string
    }
  | {
      readonly finding: Exclude<EntityAudit['verdict'], 'intact' | 'chain-broken'> | 'kept-entry-missing'
      readonly entity: EntityName
    }

export type JournalAudit = {
  readonly entries: number
  readonly entities: number
  /** How many states of each stream were rebuilt and are what the table says. */
  readonly compared: ReadonlyMap<string, number>
  readonly signatures: SignatureCount
  readonly findings: readonly Finding[]
}

type Deps = { readonly database: OpenDatabase; readonly terminal: Terminal }

/** Every entry, every chain, and every state that can be rebuilt. The journal may grow meanwhile. */
export async function verifyJournal({ database, terminal }: Deps): Promise<JournalAudit> {
  const heads = await readHeads(database.db)
  const findings: Finding[] = []
  const chains = makeChainFollower()
  const signatures = makeSignatureFollower(await signedSince(database))
  let entries = 0
  const reading = makeProgress(terminal, 'entries read', countEntries(heads))
  const positions = new Map<number, bigint>()
  for await (const page of readJournal(database, heads)) {
    for (const event of await readSignedRequests(database, page, signatures.knows)) signatures.learn(event)
    for (const entry of page) {
      const { lane, position } = entry
      const due = (positions.get(lane) ?? 0n) + 1n
      // Positions are gapless: one that is missing was taken away with all that stood there.
      if (position !== due) findings.push({ finding: 'position-missing', lane, position: due.toString() })
      positions.set(lane, position)
      const broken = chains.follow(entry)
      if (broken) {
        const entity = { stream: broken.stream, id: broken.entityId }
        findings.push({
          finding: 'chain-broken',
          entity,
          detail: `${broken.fault} at entry ${broken.seq}`,
        })
      }
      const fault = signatures.check(entry)
      if (fault) findings.push(signatureFinding(entry, fault))
    }
    entries += page.length
    reading.add(page.length)
  }
  const broken = new Set(findings.map((one) => one.finding === 'chain-broken' && keyOf(one.entity)))
  const compared = new Map<string, number>()
  const comparing = makeProgress(terminal, 'entities compared', null)
  for await (const entity of entitiesToCompare(database, chains.heads())) {
    if (broken.has(keyOf(entity))) continue
    const audit = await auditEntity(database, entity, REPLAYS.get(entity.stream))
    if (audit.verdict === 'intact') compared.set(entity.stream, (compared.get(entity.stream) ?? 0) + 1)
    else findings.push(asFinding(entity, audit))
    comparing.add(1)
  }
  return { entries, entities: chains.entities(), compared, signatures: signatures.count(), findings }
}

export function signatureFinding(
  { stream, entityId: id, seq }: ChainedEntry,
  finding: SignatureFault,
): Finding {
  return { finding, entity: { stream, id }, detail: `entry ${seq}` }
}

export function asFinding(entity: EntityName, audit: Exclude<EntityAudit, { verdict: 'intact' }>): Finding {
  return audit.verdict === 'chain-broken'
    ? { finding: 'chain-broken', entity, detail: `${audit.fault} at entry ${audit.seq}` }
    : { finding: audit.verdict, entity }
}

const keyOf = ({ stream, id }: EntityName): string => `${stream} ${id}`

/** Those of the journal, and the rows of which it does not know. */
async function* entitiesToCompare(
  database: OpenDatabase,
  heads: Iterable<{ readonly stream: string; readonly entityId: string }>,
): AsyncGenerator<EntityName> {
  const known = new Set<string>()
  for (const { stream, entityId: id } of heads) {
    if (!REPLAYS.has(stream)) continue
    known.add(keyOf({ stream, id }))
    yield { stream, id }
  }
  for (const [stream, { table, id: column }] of REPLAYS) {
    for (let after: string | null = null; ; ) {
      const { rows }: { rows: { id: string }[] } = await database.pool.query(
        `select ${column}::text as id from ${table} where $1::text is null or ${column}::text > $1
         order by ${column}::text limit 1000`,
        [after],
      )
      for (const { id } of rows) if (!known.has(keyOf({ stream, id }))) yield { stream, id }
      const last = rows.at(-1)
      if (!last) break
      after = last.id
    }
  }
}
