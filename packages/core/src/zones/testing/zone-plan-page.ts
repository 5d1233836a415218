import { isRefusal } from '../../refusals.ts'
import type { ZoneDecision } from '../zone-moves.ts'
import { decideZone } from '../zone-plan.ts'
import {
  type Ds,
  ZONE_PHASES,
  type ZoneCommand,
  type ZoneObservation,
  type ZonePhase,
  type ZoneState,
} from '../zone-states.ts'

const NOW = 1_000_000
const key = (keyTag: number): Ds => ({ keyTag, algorithm: 13, digestType: 2, digest: 'aa'.repeat(32) })
const K1 = key(1)
const K2 = key(2)

type View = readonly Ds[] | 'silent'

function look(zone: readonly View[], parent: readonly View[], fromRoot: ZoneObservation['fromRoot']) {
  const observation: ZoneObservation = {
    zone: zone.map((keys, i) =>
      keys === 'silent'
        ? { server: `zone-${i}`, failure: 'timeout' }
        : {
            server: `zone-${i}`,
            keys: keys.map((ds) => ({ ds, signsKeys: true })),
            signedBy: keys.map((ds) => ds.algorithm),
          },
    ),
    parent: parent.map((ds, i) =>
      ds === 'silent'
        ? { server: `parent-${i}`, failure: 'timeout' }
        : { server: `parent-${i}`, ds, ttlSeconds: ds.length === 0 ? 0 : 600 },
    ),
    maxTtlSeconds: 300,
    fromRoot,
  }
  return { kind: 'observed', observation, looks: 0 } as const
}

const both = (view: View) => [view, view]

/** What two servers of the zone and two of its parent may show. K1 is the old or only key, K2 the new one. */
const OBSERVATIONS: Record<string, ZoneCommand> = {
  'unsigned, no DS': look(both([]), both([]), 'insecure'),
  'K1 at one server, no DS': look([[K1], []], both([]), 'insecure'),
  'K1, no DS': look(both([K1]), both([]), 'insecure'),
  'K1, DS of K1': look(both([K1]), both([K1]), 'secure'),
  'K1, DS of K1, not yet secure from the root': look(both([K1]), both([K1]), 'unavailable'),
  'K1, DS of K1 at one parent server': look(both([K1]), [[K1], []], 'secure'),
  'K1 and K2, DS of K1': look(both([K1, K2]), both([K1]), 'secure'),
  'K1 and K2, DS of K2': look(both([K1, K2]), both([K2]), 'secure'),
  'K2, DS of K2': look(both([K2]), both([K2]), 'secure'),
  'K2, DS of K1': look(both([K2]), both([K1]), 'bogus'),
  'K1, DS of K2': look(both([K1]), both([K2]), 'bogus'),
  'unsigned, DS of K1': look(both([]), both([K1]), 'bogus'),
  'a server of the zone is silent': look([[K1], 'silent'], both([K1]), 'secure'),
  'a server of the parent is silent': look(both([K1]), [[K1], 'silent'], 'secure'),
}

const REQUESTS: Record<string, ZoneCommand> = {
  sign: { kind: 'sign' },
  unsign: { kind: 'unsign' },
  roll: { kind: 'roll' },
}

/** The plan as a page, made by running `decideZone` over every phase and everything that may be seen or asked. */
export function zonePlanPage(): string {
  const rows = ZONE_PHASES.flatMap((phase) => situations(phase))
  return [
    '# How a zone comes into DNSSEC, and out of it',
    '',
    'Made by running `decideZone` over every phase; a test compares. `packages/core/src/zones/` is the source.',
    '',
    'K1 is the old or only key, K2 the new one. *waits* marks a phase whose time is not over, *due* one whose time is.',
    'Only what every server shows moves the plan; what a server that does not answer might show counts for nothing.',
    '',
    diagram(rows),
    '## By what is asked',
    '',
    table(rows, REQUESTS),
    '## By what is seen',
    '',
    ...Object.entries(OBSERVATIONS).flatMap(([name, command]) => [
      `### ${name}`,
      '',
      table(rows, { outcome: command }),
    ]),
  ].join('\n')
}

type Situation = { readonly name: string; readonly state: ZoneState }

function situations(phase: ZonePhase['phase']): Situation[] {
  const terms = {
    v: 1,
    domain: 'shop.test',
    maxTtlSeconds: 300,
    dsTtl: { seconds: 600, seen: true },
    enteredAt: 0,
    problem: null,
  } as const
  switch (phase) {
    case 'unsigned':
      return [{ name: phase, state: { ...terms, phase } }]
    case 'signing':
    case 'ds-withdrawing':
    case 'unsigning':
      return [{ name: phase, state: { ...terms, phase, attempt: 0 } }]
    case 'ds-publishing':
      return [{ name: phase, state: { ...terms, phase, ds: [K1], attempt: 0 } }]
    case 'signed':
      return [{ name: phase, state: { ...terms, phase, ds: [K1] } }]
    case 'key-adding':
      return [{ name: phase, state: { ...terms, phase, old: [K1], attempt: 0 } }]
    case 'ds-replacing':
    case 'old-key-removing':
      return [{ name: phase, state: { ...terms, phase, old: [K1], ds: [K2], attempt: 0 } }]
    case 'keys-settling':
      return timed(phase, (until) => ({ ...terms, phase, ds: [K1], until }))
    case 'new-key-settling':
    case 'old-ds-expiring':
      return timed(phase, (until) => ({ ...terms, phase, old: [K1], ds: [K2], until }))
    case 'ds-expiring':
      return timed(phase, (until) => ({ ...terms, phase, until }))
  }
}

function timed(phase: string, state: (until: number) => ZoneState): Situation[] {
  return [
    { name: `${phase}, waits`, state: state(NOW + 1) },
    { name: `${phase}, due`, state: state(NOW) },
  ]
}

function table(rows: readonly Situation[], commands: Record<string, ZoneCommand>): string {
  const columns = Object.entries(commands)
  return [
    `| phase | ${columns.map(([name]) => name).join(' | ')} |`,
    `|---|${columns.map(() => '---|').join('')}`,
    ...rows.map(
      ({ name, state }) =>
        `| ${name} | ${columns.map(([, command]) => outcome(state, decideZone(state, command, NOW))).join(' | ')} |`,
    ),
    '',
  ].join('\n')
}

function outcome(before: ZoneState, decision: ReturnType<typeof decideZone>): string {
  if (isRefusal(decision)) return `refused: ${decision.refused}`
  const { state } = decision
  const problem = state.problem === null ? '' : `, ${state.problem.code}`
  return (
    (state.phase === before.phase && state.enteredAt === before.enteredAt ? '·' : `→ ${state.phase}`) +
    problem
  )
}

function diagram(rows: readonly Situation[]): string {
  const moves = new Set<string>()
  for (const { state } of rows) {
    for (const [label, command] of [...Object.entries(REQUESTS), ...Object.entries(OBSERVATIONS)]) {
      const decision = decideZone(state, command, NOW) as ZoneDecision
      if (isRefusal(decision) || decision.state.phase === state.phase) continue
      const asked = command.kind === 'observed' ? '' : `: ${label}`
      moves.add(`  ${id(state.phase)} --> ${id(decision.state.phase)}${asked}`)
    }
  }
  return ['```mermaid', 'stateDiagram-v2', '  [*] --> unsigned: adopt', ...moves, '```', ''].join('\n')
}

function id(phase: string): string {
  return phase.replaceAll('-', '_')
}
