import type { Milestone, Task } from '@holdfast/client'
import { DemoError } from '../demo-error.ts'

/** How an escrow of the demo ended, as `--json` tells it. Amounts are decimal strings of millisatoshi. */
export type EscrowEnd = {
  readonly outcome: Outcome
  readonly custody: CustodyLabel
  /** Of the hold: of a split the released milestone's, as are the next two. */
  readonly fundingHash: string
  /** Of the worker's invoice; the same when hash-locked. */
  readonly payoutHash: string
  /** What the buyer's own wallet has as the proof of its payment; null when the money came back instead. */
  readonly preimage: string | null
  /** What the buyer locked, over all milestones. */
  readonly heldMsat: string
  /** What the worker was paid. */
  readonly paidMsat: string
  /** What the platform kept. */
  readonly feeMsat: string
  /** The hash of the last entry of the escrow's journal. */
  readonly journalHead: string
}

export type Outcome = 'released' | 'refunded' | 'split' | 'premature'

export type CustodyLabel = 'hash-locked' | 'coordinated'

/** A milestone whose money was locked, and what the parties' own wallets and eyes say about it. */
export type Locked = {
  readonly index: number
  readonly fundingHash: string
  readonly payoutHash: string
  readonly heldMsat: bigint
  readonly paymentId: string
}

/** The end of `task`, whose every milestone is in `locked`; `preimage` is that of the milestone that was paid. */
export function endOf(
  task: Task,
  locked: readonly Locked[],
  preimage: string | null,
  journalHead: string,
): EscrowEnd {
  const ends = task.milestones.map(({ phase }) => phase)
  const released = task.milestones.filter(({ phase }) => phase === 'RELEASED')
  const shown = locked[released[0]?.index ?? 0]
  if (shown === undefined) throw new DemoError('ESCROW_ENDED_OTHERWISE', `Escrow ${task.id} was not funded.`)
  return {
    outcome: outcomeOf(task.id, ends),
    custody: custodyLabel(task),
    fundingHash: shown.fundingHash,
    payoutHash: shown.payoutHash,
    preimage,
    heldMsat: String(sum(locked.map(({ heldMsat }) => heldMsat))),
    paidMsat: String(sum(released.map(({ paidMsat }) => paidMsat ?? 0n))),
    feeMsat: String(sum(released.map(({ feeMsat }) => feeMsat))),
    journalHead,
  }
}

/** Who could claim the money while it is locked, in the glossary's words. */
export function custodyLabel({ custody }: Pick<Task, 'custody'>): CustodyLabel {
  return custody === 'HASH_LOCKED' ? 'hash-locked' : 'coordinated'
}

function outcomeOf(id: string, ends: readonly Milestone['phase'][]): Outcome {
  const all = (phase: Milestone['phase']) => ends.every((end) => end === phase)
  if (all('RELEASED')) return 'released'
  if (all('REFUNDED')) return 'refunded'
  if (all('REPAID')) return 'premature'
  if (ends.every((end) => end === 'RELEASED' || end === 'REFUNDED')) return 'split'
  throw new DemoError('ESCROW_ENDED_OTHERWISE', `Escrow ${id} ended with ${ends.join(', ')}.`)
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n)
}
