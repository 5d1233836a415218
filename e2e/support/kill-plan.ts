import type { Random } from './seeded-random.ts'

/**
 * Where the commit of a saga's step is when the server dies.
 * `before-commit`: the effect has happened in the world, and that it has is lost.
 * `in-commit`: the database has got the COMMIT and carries it out; the server never hears of it.
 * `after-commit`: as soon as others can see the step.
 */
export const MOMENTS = ['before-commit', 'in-commit', 'after-commit'] as const
export type Moment = (typeof MOMENTS)[number]

/** The phases to which the workload brings names; the others are for the saga's own tests. */
const NAME_STEPS = [
  'requested',
  'offer-ready',
  'published',
  'seen',
  'active',
  'withdrawing',
  'freed',
] as const

export type Step =
  | { readonly stream: 'name'; readonly phase: (typeof NAME_STEPS)[number] }
  | { readonly stream: 'payment'; readonly phase: 'resolving' | 'sending' | 'succeeded' | 'failed' }

export type KillPoint =
  | ({ readonly kind: 'step'; readonly moment: Moment } & Step)
  /** So long after requests were sent. */
  | { readonly kind: 'working'; readonly afterMs: number }
  /** After this part of the time that a start takes. */
  | { readonly kind: 'starting'; readonly fraction: number }

/** Every step of the name saga, its compensation included, and of a payment. */
export const STEPS: readonly Step[] = [
  ...NAME_STEPS.map((phase) => ({ stream: 'name', phase }) as const),
  ...(['resolving', 'sending', 'succeeded', 'failed'] as const).map(
    (phase) => ({ stream: 'payment', phase }) as const,
  ),
]

const WORKING_PER_ROUND = 5
const STARTING_PER_ROUND = 3
const LONGEST_WORK_MS = 800

/** `kills` points: in every twenty each step once, its moments in turn, and kills at any time of work and of starts. */
export function planKills(kills: number, random: Random): KillPoint[] {
  const plan: KillPoint[] = []
  const firstMoment = random.below(MOMENTS.length)
  for (let round = 0; plan.length < kills; round++) {
    const steps = STEPS.map((step, index): KillPoint => {
      const moment = MOMENTS[(firstMoment + round + index) % MOMENTS.length]!
      return { kind: 'step', moment, ...step }
    })
    const working = Array.from({ length: WORKING_PER_ROUND }, (): KillPoint => {
      return { kind: 'working', afterMs: random.below(LONGEST_WORK_MS) }
    })
    const starting = Array.from({ length: STARTING_PER_ROUND }, (): KillPoint => {
      return { kind: 'starting', fraction: random.fraction() }
    })
    plan.push(...random.shuffled([...steps, ...working, ...starting]))
  }
  return plan.slice(0, kills)
}

/** One line per kind of point and the number of kills at it. */
export function killTable(points: readonly KillPoint[]): string {
  const rows = new Map<string, Map<string, number>>()
  const rowNames = [...STEPS.map(stepName), 'working', 'starting']
  for (const name of rowNames) rows.set(name, new Map())
  for (const point of points) {
    const row = rows.get(point.kind === 'step' ? stepName(point) : point.kind)
    const column = point.kind === 'step' ? point.moment : 'at random'
    row?.set(column, (row.get(column) ?? 0) + 1)
  }
  const columns = [...MOMENTS, 'at random']
  const line = (name: string, cells: readonly (string | number)[]) =>
    `  ${name.padEnd(22)}${cells.map((cell) => String(cell).padStart(15)).join('')}`
  return [
    line('killed', columns),
    ...rowNames.map((name) =>
      line(
        name,
        columns.map((column) => rows.get(name)?.get(column) ?? ''),
      ),
    ),
    line('in all', [points.length]),
  ].join('\n')
}

export function describePoint(point: KillPoint): string {
  switch (point.kind) {
    case 'step':
      return `${stepName(point)} ${point.moment}`
    case 'working':
      return `working, after ${point.afterMs} ms`
    case 'starting':
      return `starting, at ${Math.round(point.fraction * 100)} %`
  }
}

function stepName({ stream, phase }: Step): string {
  return `${stream} ${phase}`
}
