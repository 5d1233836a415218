import { EventEmitter, once } from 'node:events'
import type { EscrowClient, Funding, Milestone, Task } from '@holdfast/client'
import { DemoError } from '../demo-error.ts'

/** Much for a busy machine; what has not come by then does not come. */
const WITHIN_MS = 60_000

export type EscrowWatch = {
  /** The milestone, as soon as it is in this phase. Throws `DemoError` when it ends in another. */
  reach(milestone: number, phase: Milestone['phase']): Promise<Milestone>
  /** How the money of a milestone is to be locked, as soon as the operator's node has made the invoice. */
  funding(milestone: number): Promise<Funding>
  /** The task when all of it has ended, and the head of its journal. */
  ended(): Promise<{ task: Task; journalHead: string; journalEntries: number }>
  stop(): Promise<void>
}

/** Follows an escrow by its subscription, as a marketplace's screen would. */
export function followEscrow(escrow: EscrowClient, id: string): EscrowWatch {
  const stopping = new AbortController()
  const news = new EventEmitter()
  let task: Task | null = null
  let last = { hash: '', seq: 0 }
  let failure: unknown = null

  const reading = read().catch((error) => {
    if (stopping.signal.aborted) return
    failure = error
    news.emit('update')
  })

  async function read(): Promise<void> {
    for await (const update of escrow.watchTask(id, { signal: stopping.signal })) {
      task = update.task
      last = update.changes.at(-1) ?? last
      news.emit('update')
    }
  }

  /** The first thing that `look` finds in the task, now or later. */
  async function until<T>(what: string, look: (task: Task) => T | null): Promise<T> {
    const timeout = AbortSignal.timeout(WITHIN_MS)
    for (;;) {
      if (failure !== null) throw failure
      const found = task && look(task)
      if (found !== null) return found
      await once(news, 'update', { signal: timeout }).catch((cause) => {
        const message = `Escrow ${id} was not ${what} within ${WITHIN_MS / 1000} s.`
        throw new DemoError('ESCROW_TOO_SLOW', message, { cause })
      })
    }
  }

  return {
    reach: (index, phase) =>
      until(phase, ({ milestones }) => {
        const milestone = milestones[index]
        if (milestone?.phase === phase) return milestone
        if (milestone === undefined || milestone.endedAt === null) return null
        throw new DemoError(
          'ESCROW_ENDED_OTHERWISE',
          `Milestone ${index} of escrow ${id} is ${milestone.phase} instead of ${phase}.`,
        )
      }),
    funding: (index) => until('ready to be funded', ({ milestones }) => milestones[index]?.funding ?? null),
    async ended() {
      const ended = await until('ended', (now) => (now.endedAt === null ? null : now))
      return { task: ended, journalHead: last.hash, journalEntries: last.seq }
    },
    async stop() {
      stopping.abort()
      await reading
    },
  }
}
