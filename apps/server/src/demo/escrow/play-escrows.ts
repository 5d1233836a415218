import { makeWorkerSecret } from '@holdfast/client'
import type { Tell } from '../story.ts'
import { beginEscrow, type EscrowCast, type EscrowWish, type Scene } from './begin-escrow.ts'
import { endEscrow } from './end-escrow.ts'
import { lockMoney } from './lock-money.ts'
import { proveAndRelease, refund } from './move-money.ts'
import type { EscrowEnd } from './outcome.ts'
import { catchPrematureSettlement } from './premature-settlement.ts'

export type PlayedEscrow = { readonly taskId: string; readonly end: EscrowEnd }

type Story = { readonly title: string; readonly wish: EscrowWish; play(scene: Scene): Promise<PlayedEscrow> }

const ORDER = (title: string): EscrowWish => ({
  kind: 'ORDER',
  title,
  milestones: [{ title, payoutMsat: 10_000_000n }],
})

const STORIES: readonly Story[] = [
  {
    title: 'an order is delivered and paid',
    wish: ORDER('Two boxes of oranges'),
    async play(scene) {
      const locked = await lockMoney(scene, 0)
      return endEscrow(scene, [locked], await proveAndRelease(scene, locked, 'Shipped, tracking number 4711'))
    },
  },
  {
    title: 'an order falls through, and the buyer is refunded',
    wish: ORDER('A lamp that turns out to be sold'),
    async play(scene) {
      const locked = await lockMoney(scene, 0)
      await refund(scene, locked)
      return endEscrow(scene, [locked], null)
    },
  },
  {
    title: 'a task of two milestones is split between the parties',
    wish: {
      kind: 'TASK',
      title: 'Translate a menu',
      milestones: [
        { title: 'A draft', payoutMsat: 6_000_000n },
        { title: 'The final text', payoutMsat: 4_000_000n },
      ],
    },
    async play(scene) {
      const [draft, final] = [await lockMoney(scene, 0), await lockMoney(scene, 1)]
      const paid = await proveAndRelease(scene, draft, 'The draft is in your mailbox')
      await refund(scene, final)
      return endEscrow(scene, [draft, final], paid)
    },
  },
  {
    title: 'a worker leaks the preimage too early, and is caught',
    wish: ORDER('A bicycle'),
    async play(scene) {
      const secret = makeWorkerSecret()
      const locked = await lockMoney(scene, 0, secret.paymentHash)
      return endEscrow(scene, [locked], await catchPrematureSettlement(scene, locked, secret))
    },
  },
]

/** One escrow for each way in which one can end, one after the other. */
export async function playEscrows(cast: EscrowCast, tell: Tell): Promise<PlayedEscrow[]> {
  const played: PlayedEscrow[] = []
  for (const [index, { title, wish, play }] of STORIES.entries()) {
    tell('escrow-story', { number: index + 1, of: STORIES.length, title })
    const scene = await beginEscrow(cast, tell, wish)
    try {
      played.push(await play(scene))
    } finally {
      await scene.watch.stop()
    }
  }
  return played
}
