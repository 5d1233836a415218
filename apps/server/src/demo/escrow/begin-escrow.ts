import type { TaskKind } from '@holdfast/client'
import type { Person, Tell } from '../story.ts'
import { type EscrowWatch, followEscrow } from './follow-escrow.ts'
import { custodyLabel } from './outcome.ts'
import { type Balances, readBalances } from './settled-balances.ts'
import { timed } from './timed.ts'

const HOUR_MS = 3_600_000

export type EscrowCast = { readonly buyer: Person; readonly worker: Person }

export type EscrowWish = {
  readonly kind: TaskKind
  readonly title: string
  readonly milestones: readonly { readonly title: string; readonly payoutMsat: bigint }[]
}

/** An escrow under way, and who takes part. */
export type Scene = EscrowCast & {
  readonly tell: Tell
  readonly taskId: string
  readonly milestones: number
  readonly watch: EscrowWatch
  readonly before: Balances
  readonly began: number
}

/** The buyer writes and publishes it. A task is then applied for and given to the worker; an order has a seller. */
export async function beginEscrow(cast: EscrowCast, tell: Tell, wish: EscrowWish): Promise<Scene> {
  const { buyer, worker } = cast
  const began = performance.now()
  const before = await readBalances(cast)
  const created = await timed(async () => {
    const plan = {
      title: wish.title,
      deadlineAt: Date.now() + 24 * HOUR_MS,
      milestones: wish.milestones.map((milestone) => ({
        ...milestone,
        workMs: 4 * HOUR_MS,
        objectionMs: HOUR_MS,
      })),
    }
    const seller = wish.kind === 'ORDER' ? { worker: worker.device.pubkey } : {}
    const { task } = await buyer.client.escrow.createTask({ kind: wish.kind, ...seller, plan })
    await buyer.client.escrow.publishTask({ taskId: task.id })
    return task
  })
  const { id: taskId, kind, payoutMsat, feeMsat, milestones } = created.value
  const facts = { payoutMsat, feeMsat, milestones: milestones.length, ms: created.ms }
  tell('escrow-created', { taskId, kind, title: wish.title, custody: custodyLabel(created.value), ...facts })
  if (kind === 'TASK') await hire(cast, tell, taskId)
  const watch = followEscrow(buyer.client.escrow, taskId)
  return { ...cast, tell, taskId, milestones: milestones.length, watch, before, began }
}

async function hire({ buyer, worker }: EscrowCast, tell: Tell, taskId: string): Promise<void> {
  const { ms } = await timed(async () => {
    await worker.client.escrow.applyToTask({ taskId, message: 'I have done this before.' })
    await buyer.client.escrow.assignWorker({ taskId, worker: worker.device.pubkey })
  })
  tell('escrow-assigned', { taskId, worker: worker.device.pubkey, ms })
}
