import type { EscrowClient, MilestonePhase } from '@holdfast/client'

export type Following = {
  /** Resolves when the milestone is told to be in this phase; throws when it ends in another. */
  until(phase: MilestonePhase): Promise<void>
  leave(): void
}

/** Follows an order's only milestone over server-sent events; resolves when the server has begun to tell. */
export async function followMilestone(escrow: EscrowClient, taskId: string): Promise<Following> {
  const leaving = new AbortController()
  const updates = escrow.watchMilestone({ taskId, milestone: 0 }, { signal: leaving.signal })
  let seen = await next()

  async function next() {
    const { value, done } = await updates.next()
    if (done) throw new Error(`The milestone of ${taskId} was told no further.`)
    return value.milestone
  }

  return {
    async until(phase) {
      while (seen.phase !== phase) {
        if (seen.endedAt !== null) throw new Error(`The milestone of ${taskId} ended ${seen.phase}.`)
        seen = await next()
      }
    },
    leave: () => leaving.abort(),
  }
}
