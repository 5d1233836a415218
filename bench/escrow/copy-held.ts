import { sql } from 'kysely'
import type { BenchWorld } from '../bench-world.ts'
import type { Order } from './orders.ts'

/**
 * Adds rows that equal the one of a held order but for id and payment hash, and their hashes: they are found, counted
 * and guarded like it. No node holds anything for them and the journal does not know them, so nothing may wake them.
 */
export async function copyHeld({ database }: BenchWorld, { taskId }: Order, count: number): Promise<void> {
  if (count === 0) return
  await sql`
    with original as materialized (
      select escrow.*, state #>> '{milestones,0,paymentHash}' as payment_hash from escrow where id = ${taskId}::uuid
    ), fresh as materialized (
      select id, encode(sha256(id::text::bytea), 'hex') as payment_hash
      from (select gen_random_uuid() as id from generate_series(1, ${count}::integer)) as made
    ), copied as (
      insert into escrow (id, kind, custody, buyer, worker, arbiter, phase, state, created_at, look_at,
        guardian_height, committed_msat, open_holds, taken_holds)
      select fresh.id, kind, custody, buyer, worker, arbiter, phase,
        replace(replace(state::text, original.id::text, fresh.id::text),
          original.payment_hash, fresh.payment_hash)::jsonb,
        created_at, look_at, guardian_height, committed_msat, open_holds, taken_holds
      from original, fresh
      returning id
    )
    insert into escrow_hash (payment_hash, escrow_id, milestone, taken_at)
    select fresh.payment_hash, copied.id, 0, now() from copied join fresh using (id)`.execute(database.db)
}
