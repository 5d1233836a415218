import type { OpenDatabase } from '@holdfast/server/platform/database'
import type { DeadLetter } from './find-stuck.ts'

type Row = {
  id: string
  task: string
  escrow: string | null
  milestone: number | null
  attempts: number
  failed_at: Date
  last_error: string | null
}

/** Jobs of escrows that failed for the last time, and stay as rows. */
export async function readDeadLetters({ pool }: OpenDatabase): Promise<DeadLetter[]> {
  const { rows } = await pool.query<Row>(
    `select job.id::text as id, task.identifier as task, job.payload ->> 'id' as escrow,
       (job.payload ->> 'milestone')::int as milestone, job.attempts::int as attempts, job.updated_at as failed_at,
       job.last_error
     from graphile_worker._private_jobs as job
     join graphile_worker._private_tasks as task on task.id = job.task_id
     where job.attempts >= job.max_attempts and job.locked_at is null and task.identifier like 'escrow:%'
     order by job.updated_at`,
  )
  return rows.map((row) => ({
    jobId: row.id,
    task: row.task,
    escrow: row.escrow,
    milestone: row.milestone,
    attempts: row.attempts,
    failedAt: row.failed_at.getTime(),
    error: row.last_error ?? '',
  }))
}
