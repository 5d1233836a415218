import { ESCROW_PHASES, type EscrowState } from '../escrow-states.ts'
import { hasEnded } from '../milestone-facts.ts'
import { type Custody, MILESTONE_PHASES, type Phase } from '../milestone-states.ts'
import { type Case, escrowCases, milestoneCases, type Outcome, outcomeOf } from './escrow-cases.ts'
import { only, reach, reachEscrow, reachSituations } from './escrow-story.ts'

type Row = { readonly from: string; readonly name: string; readonly outcome: Outcome }

/** `docs/state-machines/escrow.md`: what `decideEscrow` answers in every phase to every command. */
export function stateMachinePage(): string {
  const rows = milestoneRows('hash-locked')
  const ofEscrow = ESCROW_PHASES.flatMap((phase) =>
    rowsOf(reachEscrow(phase), phase, escrowCases(), (state) => state.phase),
  )
  const coordinated = milestoneRows('coordinated').filter(
    (row) =>
      !rows.some((other) => other.from === row.from && other.name === row.name && cell(other) === cell(row)),
  )
  return `${[
    '# The state machine of an escrow',
    'Made by `npm run state-machines` from running `decideEscrow` (`packages/core/src/escrow`) on every phase × command; a test compares this page with what the code does. Why it is so: [decision 8](../adr/0008-escrow-machine.md).',
    '`=` means that the phase stays; what follows the dot is what is then done in the world. A command that is not listed changes nothing (a report) or is refused with `ESCROW_WRONG_PHASE` (a request).',
    '## A milestone, hash-locked',
    diagram(
      rows,
      MILESTONE_PHASES.filter((phase) => isEnd(phase)),
    ),
    ...sections(rows),
    '## A milestone, coordinated: what differs',
    'The operator’s node knows the preimage of the hold, so the milestone can be funded before there is a worker, and the node is told to claim (`settle-hold`).',
    ...sections(coordinated),
    '## The escrow itself',
    'Its end follows from its milestones: completed when all have ended and a worker was paid, expired when nothing was funded, else cancelled.',
    diagram(ofEscrow, ['completed', 'cancelled', 'expired']),
    ...sections(ofEscrow),
  ].join('\n\n')}\n`
}

function milestoneRows(custody: Custody): Row[] {
  const phases = MILESTONE_PHASES.filter((phase) => custody === 'hash-locked' || isOfCoordinated(phase))
  return [
    ...phases.flatMap((phase) => rowsFrom(phase, custody)),
    ...reachSituations(custody).flatMap(([name, escrow]) =>
      rowsOf(escrow, name, milestoneCases(escrow), (state) => only(state).phase),
    ),
  ]
}

/** Before it is funded a coordinated milestone waits for nobody’s invoice. */
function isOfCoordinated(phase: Phase): boolean {
  return phase !== 'awaiting-invoice' && phase !== 'ready-to-fund'
}

function rowsFrom(phase: Phase, custody: Custody): Row[] {
  const escrow = reach(phase, custody)
  return rowsOf(escrow, phase, milestoneCases(escrow), (state) => only(state).phase)
}

function rowsOf<P extends string>(
  escrow: EscrowState,
  from: P,
  cases: readonly Case[],
  phaseOf: (state: EscrowState) => Phase | (typeof ESCROW_PHASES)[number],
): Row[] {
  const rows = cases.map((one) => ({ from, name: one.name, outcome: outcomeOf(escrow, one, phaseOf) }))
  const usual = rows.find(({ name }) => name === IDLE)
  return rows
    .filter((row) => row === usual || !isTimer(row) || !usual || cell(row) !== cell(usual))
    .filter(({ outcome }) =>
      'refused' in outcome
        ? outcome.refused !== 'ESCROW_WRONG_PHASE'
        : !outcome.same || outcome.effects.length > 0,
    )
}

/** What time does when nothing is due need not be said again for every moment. */
const IDLE = 'time-passed: nothing is due'
const isTimer = ({ name }: Row) => name.startsWith('time-passed')

function sections(rows: readonly Row[]): string[] {
  return [...Map.groupBy(rows, ({ from }) => from)].flatMap(([from, own]) => {
    const lines = own.map((row) => `| ${row.name} | ${cell(row)} |`)
    return [`### ${from}`, ['| command | leads to |', '| --- | --- |', ...lines].join('\n')]
  })
}

function cell({ outcome, from }: Row): string {
  if ('refused' in outcome) return `refused: \`${outcome.refused}\``
  const to = outcome.to === phaseIn(from) ? '=' : `**${outcome.to}**`
  return outcome.effects.length === 0
    ? to
    : `${to} · ${outcome.effects.map((kind) => `\`${kind}\``).join(', ')}`
}

function diagram(rows: readonly Row[], ends: readonly string[]): string {
  const arrows = new Map<string, Set<string>>()
  for (const { from, name, outcome } of rows) {
    if ('refused' in outcome || outcome.to === phaseIn(from)) continue
    const arrow = `${id(phaseIn(from))} --> ${id(outcome.to)}`
    arrows.set(arrow, (arrows.get(arrow) ?? new Set()).add(name.replace(/[:,].*/, '')))
  }
  const lines = [...arrows].map(([arrow, names]) => `  ${arrow}: ${[...names].join(' · ')}`)
  return [
    '```mermaid',
    'stateDiagram-v2',
    ...lines,
    ...ends.map((end) => `  ${id(end)} --> [*]`),
    '```',
  ].join('\n')
}

/** `releasing, between two tries` is a situation in the phase `releasing`. */
const phaseIn = (from: string) => from.replace(/,.*/, '')

const id = (phase: string) => phase.replaceAll('-', '_')

function isEnd(phase: Phase): boolean {
  return hasEnded(only(reach(phase)))
}
