import type { Task } from '../jobs.ts'
import { makeLog } from '../log.ts'
import type { NewJob, Transact } from '../transaction.ts'

/**
 * The jobs of a slice, in the hands of a test: one runs when the test says so, also twice, out of turn, or never.
 * `transact` is what the slice is given: what it enqueues waits here, once its transaction is committed, instead of at
 * graphile-worker. `prefix` is what the names of its tasks begin with.
 */
export function makeJobQueue(options: {
  transact: () => Transact
  prefix: string
  tasks: () => Record<string, Task>
  /** The clock of the slice; `runNext` moves it. */
  time: { now: number }
  /** Called in the transaction, before the job is kept; throwing rolls back. */
  onEnqueue?: (job: NewJob) => void
}) {
  const { prefix, tasks, time, onEnqueue } = options
  const log = makeLog({ level: 'silent' })
  const jobs: NewJob[] = []
  const transact: Transact = async (work) => {
    let enqueued: NewJob[] = []
    const result = await options.transact()((tx) => {
      // A transaction that is rolled back and run again begins without the jobs of its first run.
      enqueued = []
      return work({
        ...tx,
        enqueue(job) {
          onEnqueue?.(job)
          enqueued.push(job)
        },
      })
    })
    for (const job of enqueued) add(jobs, job)
    return result
  }
  const context = { jobId: '1', maxAttempts: 25, log }
  const queue = {
    jobs,
    transact,
    /** As a worker does. */
    perform: ({ task, payload }: NewJob) =>
      tasks()[task]!(payload, { ...context, attempt: 1, signal: new AbortController().signal }),
    /** As the process does that has just committed it. */
    performAtOnce: ({ task, payload, left }: NewJob) =>
      tasks()[task]!(payload, {
        ...context,
        attempt: 0,
        signal: new AbortController().signal,
        left: left?.(),
      }),
    /** Takes the first waiting job of this task. */
    take(task: string): NewJob {
      const at = jobs.findIndex((job) => job.task === `${prefix}:${task}`)
      const [job] = at < 0 ? [] : jobs.splice(at, 1)
      if (!job) throw new Error(`No job ${prefix}:${task} waits.`)
      return job
    },
    /** Takes the one that is due first. */
    takeNext(): NewJob | undefined {
      jobs.sort((a, b) => dueAt(a) - dueAt(b))
      return jobs.shift()
    },
    async run(task: string): Promise<void> {
      await queue.perform(queue.take(task))
    },
    /** Runs what is due, in order, and moves the clock to what is due next, `times` times or until nothing waits. */
    async runNext(times: number): Promise<void> {
      for (let left = times; left > 0; left--) {
        const job = queue.takeNext()
        if (job === undefined) return
        time.now = Math.max(time.now, dueAt(job))
        await queue.perform(job)
      }
    },
  }
  return queue
}

/** When the job may run; 0: at once. */
export const dueAt = (job: NewJob): number => job.runAt?.getTime() ?? 0

/** As graphile-worker does: a waiting job with the same key is replaced. */
function add(jobs: NewJob[], job: NewJob): void {
  const same = jobs.findIndex(({ key }) => key !== undefined && key === job.key)
  if (same >= 0) jobs.splice(same, 1)
  jobs.push(job)
}
