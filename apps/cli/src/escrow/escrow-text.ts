import { claimedHash } from '@holdfast/core/escrow/milestone-facts'
import type { MilestoneState } from '@holdfast/core/escrow/milestone-states'
import { printable, tableText } from '../table.ts'
import type { EscrowPage, OneEscrow } from './read-escrows.ts'

/** What stands in the node's or the chain's own units: millisatoshi as satoshi, times in UTC. */
const satoshi = (msat: bigint): string =>
  `${msat / 1000n}${msat % 1000n === 0n ? '' : `.${String(msat % 1000n).padStart(3, '0')}`} sat`
export const isoTime = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z')

export function pageText({ escrows, next }: EscrowPage): string {
  if (escrows.length === 0) return 'There are none.'
  const rows = escrows.map(({ state: escrow }) => [
    escrow.id,
    escrow.kind,
    escrow.custody,
    escrow.phase,
    escrow.milestones.map(({ phase }) => phase).join(' '),
    satoshi(sum(escrow.milestones.map(lockedMsat))),
    isoTime(escrow.createdAt),
    printable(escrow.title),
  ])
  const head = ['escrow', 'kind', 'custody', 'phase', 'milestones', 'locked', 'created', 'title']
  const table = tableText(head, rows)
  return next === null ? table : `${table}\n\nmore: --after ${next}`
}

export function escrowText({ state: escrow, openClaims, workerPrematureSettlements }: OneEscrow): string {
  const rows: [string, string][] = [
    ['title', printable(escrow.title)],
    ['kind', `${escrow.kind}, ${escrow.custody}`],
    ['phase', escrow.phase + ('endedAt' in escrow ? ` since ${isoTime(escrow.endedAt)}` : '')],
    ['buyer', escrow.buyer],
    ['worker', (escrow.worker ?? 'none yet') + marksText(workerPrematureSettlements)],
    ['arbiter', escrow.arbiter ?? 'none'],
    ['node', escrow.nodeId],
    ['created', isoTime(escrow.createdAt)],
    ['deadline', isoTime(escrow.deadlineAt)],
  ]
  const lines = rows.map(([label, text]) => `  ${label.padEnd(8)}  ${text}`)
  return [
    escrow.id,
    ...lines,
    ...escrow.milestones.map((milestone) => milestoneText(milestone, openClaims)),
  ].join('\n')
}

function marksText(count: number): string {
  return count === 0 ? '' : `, ${count} premature settlement${count === 1 ? '' : 's'}`
}

function milestoneText(milestone: MilestoneState, openClaims: readonly string[]): string {
  const { index, phase, terms } = milestone
  const parts = [`payout ${satoshi(terms.payoutMsat)}, fee ${satoshi(terms.feeMsat)}`]
  if ('heldMsat' in milestone) parts.push(`locked ${satoshi(milestone.heldMsat)}`)
  if ('owedMsat' in milestone) parts.push(`owed to the buyer ${satoshi(milestone.owedMsat)}`)
  if ('paidMsat' in milestone) parts.push(`paid ${satoshi(milestone.paidMsat)}`)
  if ('routingFeeMsat' in milestone) parts.push(`routing ${satoshi(milestone.routingFeeMsat)}`)
  if ('cause' in milestone) parts.push(`because ${milestone.cause}`)
  const lines = [`  milestone ${index}  ${phase}  ${printable(terms.title)}`, `    ${parts.join(', ')}`]
  if ('schedule' in milestone) {
    const { guardianHeight, deadlineHeight } = milestone.schedule
    lines.push(
      `    the guardian decides at block ${guardianHeight}, the hold ends at block ${deadlineHeight}`,
    )
  }
  const claim = claimText(milestone, openClaims)
  if (claim !== null) lines.push(`    ${claim}`)
  if ('paymentHash' in milestone) lines.push(`    payment hash ${milestone.paymentHash}`)
  return lines.join('\n')
}

/** Null: nothing was claimed, or the phase says what became of it. */
function claimText(milestone: MilestoneState, openClaims: readonly string[]): string | null {
  if ('claimLost' in milestone) return 'the claim was lost on the chain: the operator bears what is owed'
  const hash = claimedHash(milestone)
  if (hash === null) return null
  return openClaims.includes(hash)
    ? 'the claim is not final yet: the channel’s peer, or else the chain, decides'
    : 'the claim is final'
}

/** What of the buyer's money is neither with the worker nor back. */
function lockedMsat(milestone: MilestoneState): bigint {
  if ('endedAt' in milestone) return 0n
  if ('heldMsat' in milestone) return milestone.heldMsat
  return 'owedMsat' in milestone ? milestone.owedMsat : 0n
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((all, one) => all + one, 0n)
