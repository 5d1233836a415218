import type { OpenDatabase } from '@holdfast/server/platform/database'
import { EXIT, type ExitCode, type Terminal } from '../command.ts'
import { printable } from '../table.ts'
import { type ChainHeight, estimateHeight } from './chain-height.ts'
import { isoTime } from './escrow-text.ts'
import { byUrgency, findStuck, NEXT_STEP, type Stuck, stuckJob } from './find-stuck.ts'
import { readDeadLetters } from './read-dead-letters.ts'
import { openEscrows } from './read-escrows.ts'

/** Prints what needs a person; the answer no when something does. */
export async function showStuck(
  database: OpenDatabase,
  asked: { readonly now: number; readonly withinBlocks: number; readonly height: number | null },
  { terminal, json }: { readonly terminal: Terminal; readonly json: boolean },
): Promise<ExitCode> {
  const { now, withinBlocks } = asked
  const chain = asked.height === null ? await estimateHeight(database, now) : said(asked.height)
  const stuck: Stuck[] = []
  const question = { now, withinBlocks, height: chain?.height ?? null }
  for await (const escrow of openEscrows(database)) stuck.push(...findStuck(escrow, question))
  stuck.push(...(await readDeadLetters(database)).map(stuckJob))
  stuck.sort(byUrgency)
  terminal.out(json ? JSON.stringify(asJson(stuck, chain), null, 2) : stuckText(stuck, chain))
  return stuck.length === 0 ? EXIT.ok : EXIT.no
}

const said = (height: number): ChainHeight => ({ height, seenAt: null })

function asJson(stuck: readonly Stuck[], chain: ChainHeight | null) {
  return {
    height: chain?.height ?? null,
    heightSeenAt: chain === null || chain.seenAt === null ? null : isoTime(chain.seenAt),
    stuck: stuck.map((one) => ({ ...one, next: NEXT_STEP[one.reason], runbook: runbookOf(one) })),
  }
}

function stuckText(stuck: readonly Stuck[], chain: ChainHeight | null): string {
  const title = stuck.length === 0 ? 'Nothing is stuck.' : stuck.map(oneText).join('\n\n')
  return `${title}\n\n${heightText(chain)}`
}

function oneText(one: Stuck): string {
  const where = [
    one.escrow ?? 'no escrow',
    one.milestone === null ? null : `milestone ${one.milestone}`,
    one.phase,
  ].filter((part) => part !== null)
  return [
    `${one.reason}  ${where.join('  ')}`,
    `  ${printable(one.detail)}`,
    `  next: ${NEXT_STEP[one.reason]}`,
    `  ${runbookOf(one)}`,
  ].join('\n')
}

const runbookOf = ({ reason }: Stuck): string => `docs/runbooks/stuck-holds.md#${reason}`

function heightText(chain: ChainHeight | null): string {
  if (chain === null)
    return 'The height of the chain is not known: no deadline was looked at. Give it with --height.'
  if (chain.seenAt === null) return `Counted at block ${chain.height}.`
  return `Counted at block ${chain.height} at most: the journal's last is of ${isoTime(chain.seenAt)}; --height tells a better one.`
}
