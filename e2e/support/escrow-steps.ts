import type { JsonObject } from '@holdfast/core'
import { COMMIT_MOMENTS, MOMENTS, type Step } from './kill-plan.ts'
import type { Traps } from './step-trap.ts'

/** What the parties of an escrow do, and how it must end. */
export const STORIES = {
  'released at once': 'released',
  'released to a slow wallet': 'released',
  'refused by the worker’s wallet': 'refunded',
  refunded: 'refunded',
  'cancelled unpaid': 'cancelled',
  'claimed too early': 'repaid',
  'claimed too early, a slow wallet': 'repaid',
  coordinated: 'released',
} as const satisfies Record<string, string>

export type StoryKind = keyof typeof STORIES

/** What a party has just done, out of the server's sight: whether it comes to know is open. */
export type Deed = 'buyer paid' | 'worker claimed' | 'buyer reported'

/** An effect of escrows with the report of what became of it, or a request, whose effect is its commit. */
export type EscrowStep = Step & {
  readonly story: StoryKind
  /** The worker's task, or what a party does: `before-effect` is then. */
  readonly effect: { readonly task: string } | { readonly deed: Deed } | null
  /** The commands of its entry in the journal, any of them. */
  readonly commands: readonly JsonObject[]
}

const outcome = (kind: string, state: string): JsonObject => ({ kind, report: { outcome: { state } } })
const seen = (state: string): JsonObject => ({ kind: 'hold-seen', said: { state } })

const ALL = { moments: MOMENTS } as const
const COMMITS = { moments: COMMIT_MOMENTS, effect: null } as const

export const ESCROW_STEPS: readonly EscrowStep[] = [
  asked('create', 'released at once'),
  asked('submit-invoice', 'released at once'),
  asked('fund', 'released at once'),
  asked('approve', 'released at once'),
  asked('refund', 'refunded'),
  asked('submit-refund-invoice', 'claimed too early'),
  {
    name: 'make the hold invoice',
    ...ALL,
    story: 'released at once',
    effect: { task: 'escrow:create-hold' },
    commands: [{ kind: 'hold-created' }],
  },
  {
    name: 'see the hold accepted',
    ...ALL,
    story: 'released at once',
    effect: { deed: 'buyer paid' },
    commands: [seen('held')],
  },
  {
    name: 'pay out',
    ...ALL,
    story: 'released at once',
    effect: { task: 'escrow:pay-out' },
    commands: [outcome('payout', 'succeeded')],
  },
  {
    name: 'pay out, still on its way',
    ...ALL,
    story: 'released to a slow wallet',
    effect: { task: 'escrow:pay-out' },
    commands: [outcome('payout', 'pending')],
  },
  {
    name: 'look the payout up',
    ...ALL,
    story: 'released to a slow wallet',
    effect: { task: 'escrow:look-up-payout' },
    commands: [outcome('payout', 'succeeded')],
  },
  {
    name: 'pay out, refused',
    ...COMMITS,
    story: 'refused by the worker’s wallet',
    commands: [outcome('payout', 'failed')],
  },
  {
    name: 'claim the hold',
    ...ALL,
    story: 'released to a slow wallet',
    effect: { deed: 'worker claimed' },
    commands: [seen('settled'), seen('settling')],
  },
  {
    name: 'settle the hold',
    ...ALL,
    story: 'coordinated',
    effect: { task: 'escrow:settle-hold' },
    commands: [seen('settled'), seen('settling')],
  },
  {
    name: 'cancel the hold',
    ...ALL,
    story: 'refunded',
    effect: { task: 'escrow:cancel-hold' },
    commands: [seen('cancelled')],
  },
  {
    name: 'cancel the hold, unpaid',
    ...ALL,
    story: 'cancelled unpaid',
    effect: { task: 'escrow:cancel-hold' },
    commands: [seen('cancelled')],
  },
  {
    name: 'claim with a reported preimage',
    ...ALL,
    story: 'claimed too early',
    effect: { deed: 'buyer reported' },
    commands: [seen('settling'), seen('settled')],
  },
  {
    name: 'repay',
    ...ALL,
    story: 'claimed too early',
    effect: { task: 'escrow:repay' },
    commands: [outcome('repayment', 'succeeded')],
  },
  {
    name: 'repay, still on its way',
    ...COMMITS,
    story: 'claimed too early, a slow wallet',
    commands: [outcome('repayment', 'pending')],
  },
  {
    name: 'look the repayment up',
    ...ALL,
    story: 'claimed too early, a slow wallet',
    effect: { task: 'escrow:look-up-repayment' },
    commands: [outcome('repayment', 'succeeded')],
  },
]

export function trapsOf({ effect, commands }: EscrowStep): Traps {
  return {
    ...(effect !== null && 'task' in effect && { task: effect.task }),
    stream: 'escrow',
    entries: commands.map((command) => ({ command })),
  }
}

function asked(kind: string, story: StoryKind): EscrowStep {
  return { name: `asked: ${kind}`, ...COMMITS, story, commands: [{ kind }] }
}
