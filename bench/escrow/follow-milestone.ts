import type { EscrowClient, Funding, MilestonePhase } from '@holdfast/client'

export type Following = {
  /** Resolves when the milestone is told to be in this phase; throws when it ends in another. */
  until(phase: MilestonePhase): Promise<void>
  /** Resolves when there is an invoice to pay. */
  funding(): Promise<Funding>
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

  async function untilSo(isSo: () => boolean) {
    while (!isSo()) {
      if (seen.endedAt !== null) throw new Error(`The milestone of ${taskId} ended ${seen.phase}.`)
      seen = await next()
    }
  }

  return {
    until: (phase) => untilSo(() => seen.phase === phase),
    async funding() {
      await untilSo(() => seen.funding !== null)
      return seen.funding as Funding
    },
    leave: () => leaving.abort(),
  }
}
