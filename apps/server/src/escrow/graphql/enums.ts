import { ESCROW_PHASES } from '@holdfast/core/escrow/escrow-states'
import type { Standing } from '@holdfast/core/escrow/milestone-facts'
import {
  type Approval,
  type Custody,
  MILESTONE_PHASES,
  type RefundCause,
} from '@holdfast/core/escrow/milestone-states'
import { builder } from './builder.ts'

/** A union of core as an enum: `hash-locked` is written HASH_LOCKED. */
function enumOf<const T extends string>(
  name: string,
  description: string,
  values: Readonly<Record<T, string>>,
) {
  const described = Object.entries<string>(values).map(([value, about]) => [
    value.toUpperCase().replaceAll('-', '_'),
    { value: value as T, ...(about !== '' && { description: about }) },
  ])
  return builder.enumType(name, {
    description,
    values: Object.fromEntries(described) as Record<string, { value: T }>,
  })
}

function plain<T extends string>(values: readonly T[]): Record<T, string> {
  return Object.fromEntries(values.map((value) => [value, ''])) as Record<T, string>
}

export const TaskKindEnum = enumOf('TaskKind', 'What is paid for.', {
  task: 'Takes applications, and is proven by work.',
  order: 'Goods of a known seller; the proof is the delivery.',
})

export const CustodyEnum = enumOf('Custody', 'Who could claim the money while it is locked.', {
  'hash-locked': 'The operator cannot claim it before it has paid the worker.',
  coordinated: 'The operator could: its node knows the preimage.',
} satisfies Record<Custody, string>)

export const TaskPhaseEnum = enumOf('TaskPhase', 'See docs/state-machines/escrow.md.', plain(ESCROW_PHASES))

export const MilestonePhaseEnum = enumOf(
  'MilestonePhase',
  'See docs/state-machines/escrow.md.',
  plain(MILESTONE_PHASES),
)

export const StandingEnum = enumOf('Standing', 'Where the buyer’s money is.', {
  unfunded: 'With the buyer.',
  funding: 'An invoice waits for it.',
  locked: 'Locked: neither the buyer nor the operator can take it alone.',
  claiming: 'The worker is paid; the operator claims it.',
  returning: 'On its way back to the buyer.',
  owed: 'The operator has it and owes it to the buyer.',
  over: 'With whom the phase says, for good.',
} satisfies Record<Standing, string>)

export const RoleEnum = enumOf('Role', 'What a key is in a task.', {
  buyer: 'Locks the money.',
  worker: 'Is paid when a milestone is released.',
  arbiter: 'Decides disputes.',
  stranger: 'None of them.',
})

export const PartEnum = enumOf('Part', 'What you are in the tasks that are listed.', {
  buyer: '',
  worker: '',
  arbiter: '',
  applicant: 'Somebody who has applied.',
})

export const ApprovalEnum = enumOf(
  'Approval',
  'Why the worker may be paid.',
  plain<Approval>(['buyer', 'arbiter', 'no-objection']),
)

export const RefundCauseEnum = enumOf(
  'RefundCause',
  'Why a hold goes back to the buyer.',
  plain<RefundCause>([
    'amount-wrong',
    'hold-too-short',
    'hold-ended',
    'proof-missing',
    'not-approved',
    'dispute-unresolved',
    'payout-failed',
    'by-worker',
    'by-arbiter',
    'by-operator',
    'no-worker',
  ]),
)

export const VerdictEnum = enumOf('Verdict', 'How an arbiter ends a dispute.', {
  release: 'The worker is paid.',
  refund: 'The money goes back to the buyer.',
})
