import { ESCROW_PHASES } from '@holdfast/core/escrow/escrow-states'
import { MILESTONE_PHASES } from '@holdfast/core/escrow/milestone-states'
import { encodeEscrow } from '@holdfast/server/escrow/escrow-codec'
import type { OpenDatabase } from '@holdfast/server/platform/database'
import { type Command, EXIT, type ExitCode, type Terminal, UsageError } from '../command.ts'
import { DATABASE_HELP, DATABASE_OPTIONS, withDatabase } from '../database/connection.ts'
import { readArguments, take } from '../server/read-arguments.ts'
import { escrowText, pageText } from './escrow-text.ts'
import { type EscrowFilter, type EscrowRow, escrowId, listEscrows, readEscrow } from './read-escrows.ts'
import { showStuck } from './show-stuck.ts'

const HELP = `usage: holdfast escrow list [--phase PHASE]… [--milestone PHASE]… [--claimed] [--limit N] [--after CURSOR] [options]
       holdfast escrow show <id> [options]
       holdfast escrow stuck [--within BLOCKS] [--height N] [options]

For operators: reads the database itself, so that it answers also while the server does not. It changes nothing.

  list                 newest first
    --phase PHASE      only escrows in this phase; may be repeated
                       ${ESCROW_PHASES.join(', ')}
    --milestone PHASE  only with a milestone in this phase; may be repeated
                       ${MILESTONE_PHASES.slice(0, 10).join(', ')},
                       ${MILESTONE_PHASES.slice(10).join(', ')}
    --claimed          only with a hold that was claimed, and which the chain could still give back
    --limit N          at most so many; default 20, at most 200
    --after CURSOR     the page after the one that ended with this
  stuck                holds near their end, payouts of which nobody knows, ends and claims that take too long, what is owed,
                       escrows of which nothing is heard, jobs that failed for good; each with what to do next
                       (docs/runbooks/stuck-holds.md has the rest)
    --within BLOCKS    near its end is a hold with so many blocks left; default 144
    --height N         how high the chain is; default: what the journal knows, and the blocks since at their fastest
${DATABASE_HELP}

exit code: 0 done; of stuck: nothing is, 1 there is no such escrow; of stuck: something is,
           2 the arguments cannot be used, 3 the database does not answer`

const OPTIONS = {
  ...DATABASE_OPTIONS,
  phase: { type: 'string', multiple: true },
  milestone: { type: 'string', multiple: true },
  claimed: { type: 'boolean' },
  limit: { type: 'string' },
  after: { type: 'string' },
  within: { type: 'string' },
  height: { type: 'string' },
} as const

export const escrowCommand: Command = {
  name: 'escrow',
  summary: 'For operators: list and show escrows, and find those that are stuck.',
  help: HELP,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, OPTIONS)
    const [action, ...words] = positionals
    const show = { terminal, json: values.json ?? false }
    switch (action) {
      case 'list': {
        take(words)
        const filter: EscrowFilter = {
          phases: oneOfEach('--phase', values.phase, ESCROW_PHASES),
          milestonePhases: oneOfEach('--milestone', values.milestone, MILESTONE_PHASES),
          openClaims: values.claimed ?? false,
          limit: wholeNumber('--limit', values.limit, { least: 1, most: 200 }) ?? 20,
          after: values.after ?? null,
        }
        return withDatabase(values, terminal, (database) => list(database, filter, show))
      }
      case 'show': {
        const [word = ''] = take(words, '<id>')
        const id = escrowId(word)
        return withDatabase(values, terminal, (database) => showOne(database, id, show))
      }
      case 'stuck': {
        take(words)
        const withinBlocks = wholeNumber('--within', values.within, { least: 0, most: 2016 }) ?? 144
        const height = wholeNumber('--height', values.height, { least: 1, most: 100_000_000 })
        return withDatabase(values, terminal, (database) =>
          showStuck(database, { withinBlocks, height, now: Date.now() }, show),
        )
      }
      default:
        throw new UsageError('what? list, show or stuck')
    }
  },
}

type Show = { readonly terminal: Terminal; readonly json: boolean }

async function list(database: OpenDatabase, filter: EscrowFilter, show: Show): Promise<ExitCode> {
  const page = await listEscrows(database, filter)
  const json = () => ({ escrows: page.escrows.map(asJson), next: page.next })
  show.terminal.out(show.json ? JSON.stringify(json(), null, 2) : pageText(page))
  return EXIT.ok
}

async function showOne(database: OpenDatabase, id: string, { terminal, json }: Show): Promise<ExitCode> {
  const escrow = await readEscrow(database, id)
  if (escrow === null) {
    terminal.err(`There is no escrow ${id}.`)
    return EXIT.no
  }
  const { workerPrematureSettlements } = escrow
  const shown = () => ({ ...asJson(escrow), workerPrematureSettlements })
  terminal.out(json ? JSON.stringify(shown(), null, 2) : escrowText(escrow))
  return EXIT.ok
}

const asJson = ({ state, openClaims }: EscrowRow) => ({ ...encodeEscrow(state), openClaims })

/** @throws UsageError */
function oneOfEach(
  option: string,
  given: readonly string[] | undefined,
  allowed: readonly string[],
): readonly string[] {
  const unknown = given?.find((word) => !allowed.includes(word))
  if (unknown !== undefined)
    throw new UsageError(`${option} ${unknown} is unknown; there are ${allowed.join(', ')}`)
  return given ?? []
}

/** @throws UsageError */
function wholeNumber(
  option: string,
  text: string | undefined,
  { least, most }: { least: number; most: number },
): number | null {
  if (text === undefined) return null
  const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= least && value <= most))
    throw new UsageError(`${option} takes a number of ${least} to ${most}`)
  return value
}
