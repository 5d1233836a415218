import { COMMIT_MOMENTS, type Step } from './kill-plan.ts'
import type { Traps } from './step-trap.ts'

/** The phases to which the workload brings names; `restoring` needs a change that fails, and is for the saga's tests. */
const NAME_PHASES = [
  'requested',
  'offer-ready',
  'published',
  'seen',
  'active',
  'withdrawing',
  'suspended',
  'freed',
] as const

const PAYMENT_PHASES = ['resolving', 'sending', 'succeeded', 'failed'] as const

/** An entry of the journal that leads to a phase. */
export type ServerStep = Step &
  (
    | { readonly stream: 'name'; readonly phase: (typeof NAME_PHASES)[number] }
    | { readonly stream: 'payment'; readonly phase: (typeof PAYMENT_PHASES)[number] }
  )

/** Every step of the name saga, its compensation included, and of a payment. */
export const SERVER_STEPS: readonly ServerStep[] = [
  ...NAME_PHASES.map(
    (phase) => ({ name: `name ${phase}`, moments: COMMIT_MOMENTS, stream: 'name', phase }) as const,
  ),
  ...PAYMENT_PHASES.map(
    (phase) => ({ name: `payment ${phase}`, moments: COMMIT_MOMENTS, stream: 'payment', phase }) as const,
  ),
]

export function trapsOf({ stream, phase }: ServerStep): Traps {
  return { stream, entries: [{ phase }] }
}
