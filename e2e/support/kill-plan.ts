import { seededRandom } from './seeded-random.ts'

/**
 * Where a saga's step is when the server dies.
 * `before-effect`: the COMMIT that asks for the effect is being carried out; nothing of it has happened.
 * `before-commit`: the effect has happened in the world, and that it has is lost.
 * `in-commit`: the database has got the COMMIT and carries it out; the server never hears of it.
 * `after-commit`: as soon as others can see the step.
 */
export const MOMENTS = ['before-effect', 'before-commit', 'in-commit', 'after-commit'] as const
export type Moment = (typeof MOMENTS)[number]

/** Those of a step that is nothing but a commit. */
export const COMMIT_MOMENTS = ['before-commit', 'in-commit', 'after-commit'] as const satisfies Moment[]

/** A place in a saga at which the server can be killed. */
export type Step = { readonly name: string; readonly moments: readonly Moment[] }

export type KillPoint<S extends Step> =
  | { readonly kind: 'step'; readonly moment: Moment; readonly step: S }
  /** So long after requests were sent. */
  | { readonly kind: 'working'; readonly afterMs: number }
  /** After this part of the time that a start takes. */
  | { readonly kind: 'starting'; readonly fraction: number }

const WORKING_PER_ROUND = 5
const STARTING_PER_ROUND = 3
const LONGEST_WORK_MS = 800

/** A kill with its number in the plan, from 1. */
export type PlannedKill<S extends Step> = { readonly number: number; readonly point: KillPoint<S> }

/**
 * The kills of this seed up to number `to`: in every round each step once, its moments in turn, and kills at any time
 * of work and of starts. A longer plan begins with the shorter one.
 */
function planKills<S extends Step>(to: number, seed: number, steps: readonly S[]): PlannedKill<S>[] {
  const random = seededRandom(seed)
  const plan: KillPoint<S>[] = []
  const firstMoment = random.below(MOMENTS.length)
  for (let round = 0; plan.length < to; round++) {
    const atSteps = steps.map((step, index): KillPoint<S> => {
      const moment = step.moments[(firstMoment + round + index) % step.moments.length]!
      return { kind: 'step', moment, step }
    })
    const working = Array.from({ length: WORKING_PER_ROUND }, (): KillPoint<S> => {
      return { kind: 'working', afterMs: random.below(LONGEST_WORK_MS) }
    })
    const starting = Array.from({ length: STARTING_PER_ROUND }, (): KillPoint<S> => {
      return { kind: 'starting', fraction: random.fraction() }
    })
    plan.push(...random.shuffled([...atSteps, ...working, ...starting]))
  }
  return plan.slice(0, to).map((point, index) => ({ number: index + 1, point }))
}

/** Of the kills of this seed those with the numbers `only` (`161-180`), or the first `kills`. */
export function killsToDo<S extends Step>(
  { kills, only, seed }: { kills: number; only: string | undefined; seed: number },
  steps: readonly S[],
): PlannedKill<S>[] {
  if (!only) return planKills(kills, seed, steps)
  const [from = 1, to = from] = only.split('-').map(Number)
  return planKills(to, seed, steps).slice(from - 1)
}

export function describePoint(point: KillPoint<Step>): string {
  switch (point.kind) {
    case 'step':
      return `${point.step.name}, ${point.moment}`
    case 'working':
      return `working, after ${point.afterMs} ms`
    case 'starting':
      return `starting, at ${Math.round(point.fraction * 100)} %`
  }
}
