import type { Truth } from './invariants.ts'
import { type KillPoint, MOMENTS, STEPS, stepName } from './kill-plan.ts'

type Killed = {
  readonly number: number
  readonly boundary: string
  readonly moment: string
  /** The name or payment that stood at the boundary. */
  readonly entityId: string | null
  /** How that one ended; null until everything was compared. */
  end: string | null
}

/** What was killed where, and what became of it. */
export class KillReport {
  readonly #kills: Killed[] = []

  killed(number: number, point: KillPoint, entityId: string | null): void {
    const [boundary, moment] =
      point.kind === 'step' ? [stepName(point), point.moment] : [point.kind, 'at random']
    this.#kills.push({ number, boundary, moment, entityId, end: null })
  }

  /** Everything has ended, and nothing was wrong with it. */
  allIsWell(truth: Truth): void {
    const ends = endsOf(truth)
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
    const boundaries = STEPS.flatMap((step) => MOMENTS.map((moment) => [stepName(step), moment]))
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

/** By the id of the name or payment. */
export function endsOf({ names, payments }: Truth): Map<string, string> {
  return new Map([
    ...names.map(({ id, phase }) => [id, phase] as const),
    ...payments.map(
      (payment) => [payment.id, payment.phase === 'failed' ? payment.cause : payment.phase] as const,
    ),
  ])
}

function line(boundary: string, moment: string, kills: string, ends: string): string {
  return `  ${boundary.padEnd(20)} ${moment.padEnd(14)} ${kills.padStart(5)}  ${ends}`.trimEnd()
}
