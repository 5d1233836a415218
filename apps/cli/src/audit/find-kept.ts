import type { OpenDatabase } from '@holdfast/server/platform/database'
import type { Head } from './follow-chains.ts'
import type { Finding } from './verify-journal.ts'

const PAGE = 500

/**
 * Entries that an earlier export ends with and that the journal no longer has as they were: a tail that was cut off,
 * or a chain that was made anew, which the journal alone cannot tell.
 */
export async function findKept({ pool }: OpenDatabase, heads: readonly Head[]): Promise<Finding[]> {
  const findings: Finding[] = []
  for (let at = 0; at < heads.length; at += PAGE) {
    const page = heads.slice(at, at + PAGE)
    const { rows } = await pool.query<{ stream: string; id: string }>(
      `select kept.stream, kept.id from unnest($1::text[], $2::text[], $3::bigint[], $4::text[])
         as kept (stream, id, seq, hash)
       left join journal on journal.stream = kept.stream and journal.entity_id = kept.id and journal.seq = kept.seq
       where journal.hash is null or encode(journal.hash, 'hex') <> kept.hash`,
      [
        page.map(({ stream }) => stream),
        page.map(({ entityId }) => entityId),
        page.map(({ seq }) => seq.toString()),
        page.map(({ hash }) => hash),
      ],
    )
    for (const { stream, id } of rows)
      findings.push({ finding: 'kept-entry-missing', entity: { stream, id } })
  }
  return findings
}
