import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import type { MilestoneState } from '@holdfast/core/escrow/milestone-states'
import { printable, tableText } from '../table.ts'
import type { EscrowPage } from './read-escrows.ts'

/** What stands in the node's or the chain's own units: millisatoshi as satoshi, times in UTC. */
const satoshi = (msat: bigint): string =>
  `${msat / 1000n}${msat % 1000n === 0n ? '' : `.${String(msat % 1000n).padStart(3, '0')}`} sat`
export const isoTime = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z')

export function pageText({ escrows, next }: EscrowPage): string {
  if (escrows.length === 0) return 'There are none.'
  const rows = escrows.map((escrow) => [
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

export function escrowText(escrow: EscrowState): string {
  const rows: [string, string][] = [
    ['title', printable(escrow.title)],
    ['kind', `${escrow.kind}, ${escrow.custody}`],
    ['phase', escrow.phase + ('endedAt' in escrow ? ` since ${isoTime(escrow.endedAt)}` : '')],
    ['buyer', escrow.buyer],
    ['worker', escrow.worker ?? 'none yet'],
    ['arbiter', escrow.arbiter ?? 'none'],
    ['node', escrow.nodeId],
    ['created', isoTime(escrow.createdAt)],
    ['deadline', isoTime(escrow.deadlineAt)],
  ]
  const lines = rows.map(([label, text]) => `  ${label.padEnd(8)}  ${text}`)
  return [escrow.id, ...lines, ...escrow.milestones.map(milestoneText)].join('\n')
}

function milestoneText(milestone: MilestoneState): string {
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
  if ('paymentHash' in milestone) lines.push(`    payment hash ${milestone.paymentHash}`)
  return lines.join('\n')
}

/** What of the buyer's money is neither with the worker nor back. */
function lockedMsat(milestone: MilestoneState): bigint {
  if ('endedAt' in milestone) return 0n
  if ('heldMsat' in milestone) return milestone.heldMsat
  return 'owedMsat' in milestone ? milestone.owedMsat : 0n
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((all, one) => all + one, 0n)
