import type { TestDatabase } from '../../platform/testing/with-database.ts'

export type TableSize = { readonly table: string; readonly rows: number; readonly bytes: number }

/** What every table holds now, its indexes and long values included, after a VACUUM FULL; the largest first. */
export async function tableSizes(database: TestDatabase): Promise<TableSize[]> {
  await database.queryAsOwner('VACUUM FULL')
  const tables = await database.queryAsOwner(`
    SELECT n.nspname || '.' || c.relname AS name, pg_total_relation_size(c.oid)::float8 AS bytes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    ORDER BY 2 DESC`)
  return Promise.all(
    tables.map(async ({ name, bytes }) => {
      const [counted] = await database.queryAsOwner(`SELECT count(*)::int AS rows FROM ${name}`)
      return { table: String(name), rows: Number(counted?.rows), bytes: Number(bytes) }
    }),
  )
}
