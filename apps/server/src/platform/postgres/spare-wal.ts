import pg from 'pg'
import type { Secret } from '../secret.ts'

/** Of 1 MB (`--wal-segsize` of initdb). The setting `min_wal_size` has PostgreSQL keep as many after each checkpoint. */
export const SPARE_SEGMENTS = 64

/**
 * Gives a server that has few a supply of old segments of its log to write to: a new one is filled with zeros and
 * synced while commits wait, and PostgreSQL uses old ones again only from its first checkpoint on. So segments are used
 * up here, and then there is a checkpoint. Interrupted it has done no harm, and the next start does it.
 */
export async function makeSpareWal(owner: Secret<string>): Promise<void> {
  const client = new pg.Client({ connectionString: owner.reveal(), application_name: 'holdfast spare WAL' })
  // A connection that breaks fails the statement that is waiting, too.
  client.on('error', () => undefined)
  await client.connect()
  try {
    const { rows } = await client.query<{ spare: number }>(COUNT_SPARE_SEGMENTS)
    if (rows[0]!.spare >= SPARE_SEGMENTS / 2) return
    // A segment in which nothing stands is not left for the next one.
    await client.query(`do $$ begin
      for segment in 1 .. ${SPARE_SEGMENTS} loop
        perform pg_logical_emit_message(false, 'holdfast', '');
        perform pg_switch_wal();
      end loop;
    end $$`)
    await client.query('checkpoint')
  } finally {
    await client.end()
  }
}

/** Segments are named in the order in which they are written. */
export const COUNT_SPARE_SEGMENTS = `
  select count(*)::int as spare from pg_ls_waldir()
  where name ~ '^[0-9A-F]{24}$' and name > pg_walfile_name(pg_current_wal_lsn())`
