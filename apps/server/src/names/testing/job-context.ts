import type { JobContext } from '../../platform/jobs.ts'
import { makeLog } from '../../platform/log.ts'

/** For tests that run jobs themselves. */
export const jobContext: JobContext = {
  jobId: '1',
  attempt: 1,
  maxAttempts: 25,
  signal: AbortSignal.timeout(600_000),
  log: makeLog({ level: 'silent' }),
}
