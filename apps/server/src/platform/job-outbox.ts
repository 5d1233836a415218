import { type RawBuilder, sql } from 'kysely'
import type { NewJob } from './transaction.ts'

/**
 * The statement that adds jobs in the caller's transaction: they exist if and only if it commits. What hands them over
 * to the worker is `startDispatch`. Of two with the same priority the one that was added first is taken first.
 */
export function insertJobs(jobs: readonly NewJob[], usualPriority: number): RawBuilder<unknown> {
  const rows = jobs.map(({ task, payload, runAt, key, maxAttempts, priority, patient }) => ({
    task,
    payload,
    run_at: runAt ?? null,
    key: key ?? null,
    max_attempts: maxAttempts ?? null,
    priority: priority ?? usualPriority,
    patient: patient ?? false,
  }))
  return sql`
    insert into job_outbox (task, payload, run_at, key, max_attempts, priority, patient)
    select task, payload, coalesce(run_at, now()), key, max_attempts, priority, patient
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as job (
        task text, payload json, run_at timestamptz, key text, max_attempts smallint, priority smallint, patient boolean
      )`
}
