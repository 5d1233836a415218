import type { KillPoint, Step } from './kill-plan.ts'

type Killed = {
  readonly number: number
  readonly boundary: string
  readonly moment: string
  /** What stood at the boundary. */
  readonly entityId: string | null
  /** How that one ended; null until everything was compared. */
  end: string | null
}

/** What was killed where, and what became of it. */
export class KillReport {
  readonly #steps: readonly Step[]
  readonly #kills: Killed[] = []

  constructor(steps: readonly Step[]) {
    this.#steps = steps
  }

  killed(number: number, point: KillPoint<Step>, entityId: string | null): void {
    const [boundary, moment] =
      point.kind === 'step' ? [point.step.name, point.moment] : [point.kind, 'at random']
    this.#kills.push({ number, boundary, moment, entityId, end: null })
  }

  /** Everything has ended as `ends` says, by id, and nothing was wrong with it. */
  allIsWell(ends: ReadonlyMap<string, string>): void {
    for (const kill of this.unchecked)
      kill.end = kill.entityId ? (ends.get(kill.entityId) ?? 'rolled back') : 'well'
  }

  get count(): number {
    return this.#kills.length
  }

  /** Since all was well: one of these did it, if something is wrong now. */
  get unchecked(): readonly Killed[] {
    return this.#kills.filter(({ end }) => end === null)
  }

  /** A line for each boundary and moment: how often, and how the ones ended that stood there. */
  table(): string {
    const boundaries = this.#steps.flatMap(({ name, moments }) => moments.map((moment) => [name, moment]))
    const all = [...boundaries, ['working', 'at random'], ['starting', 'at random']]
    const rows = all.map(([boundary = '', moment = '']) => {
      const here = this.#kills.filter((kill) => kill.boundary === boundary && kill.moment === moment)
      return line(
        boundary,
        moment,
        String(here.length),
        countedEnds(here.map(({ end }) => end ?? 'not checked')),
      )
    })
    return [
      line('killed at', 'moment', 'kills', 'what stood there ended'),
      ...rows,
      line('in all', '', String(this.count), ''),
    ].join('\n')
  }
}

/** `2 active, 1 freed` */
export function countedEnds(ends: readonly string[]): string {
  return [...Map.groupBy(ends, (end) => end)].map(([end, { length }]) => `${length} ${end}`).join(', ')
}

function line(boundary: string, moment: string, kills: string, ends: string): string {
  return `  ${boundary.padEnd(34)} ${moment.padEnd(14)} ${kills.padStart(5)}  ${ends}`.trimEnd()
}
