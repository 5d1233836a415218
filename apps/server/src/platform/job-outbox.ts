import { type RawBuilder, sql } from 'kysely'
import { HELD_FOR } from './at-once.ts'
import type { NewJob } from './transaction.ts'

/**
 * The statement that adds jobs in the caller's transaction: they exist if and only if it commits. What hands them over
 * to the worker is `startDispatch`; those with a ticket are held meanwhile by whoever begins them at once. Of two with
 * the same priority the one that was added first is taken first.
 *
 * One with a ticket has no key, as graphile-worker has none for a job that runs: handed over late, when its process died
 * or it failed, it would replace the one that was added after it.
 */
export function insertJobs(
  jobs: readonly (NewJob & { ticket?: string })[],
  usualPriority: number,
): RawBuilder<unknown> {
  const rows = jobs.map(({ task, payload, runAt, key, maxAttempts, priority, patient, ticket }) => ({
    task,
    payload,
    run_at: runAt ?? null,
    key: ticket === undefined ? (key ?? null) : null,
    max_attempts: maxAttempts ?? null,
    priority: priority ?? usualPriority,
    patient: patient ?? false,
    ticket: ticket ?? null,
  }))
  return sql`
    insert into job_outbox (task, payload, run_at, key, max_attempts, priority, patient, ticket, held_until)
    select task, payload, coalesce(run_at, now()), key, max_attempts, priority, patient, ticket,
      case when ticket is not null then now() + ${sql.lit(HELD_FOR)}::interval end
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as job (
        task text, payload json, run_at timestamptz, key text, max_attempts smallint, priority smallint,
        patient boolean, ticket uuid
      )`
}
