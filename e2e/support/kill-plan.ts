import { seededRandom } from './seeded-random.ts'

/**
 * Where the commit of a saga's step is when the server dies.
 * `before-commit`: the effect has happened in the world, and that it has is lost.
 * `in-commit`: the database has got the COMMIT and carries it out; the server never hears of it.
 * `after-commit`: as soon as others can see the step.
 */
export const MOMENTS = ['before-commit', 'in-commit', 'after-commit'] as const
export type Moment = (typeof MOMENTS)[number]

/** The phases to which the workload brings names; `restoring` needs a change that fails, and is for the saga's tests. */
const NAME_STEPS = [
  'requested',
  'offer-ready',
  'published',
  'seen',
  'active',
  'withdrawing',
  'suspended',
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

/** A kill with its number in the plan, from 1. */
export type PlannedKill = { readonly number: number; readonly point: KillPoint }

/**
 * The kills of this seed up to number `to`: in every twenty each step once, its moments in turn, and kills at any time
 * of work and of starts. A longer plan begins with the shorter one.
 */
export function planKills(to: number, seed: number): PlannedKill[] {
  const random = seededRandom(seed)
  const plan: KillPoint[] = []
  const firstMoment = random.below(MOMENTS.length)
  for (let round = 0; plan.length < to; round++) {
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
  return plan.slice(0, to).map((point, index) => ({ number: index + 1, point }))
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

export function stepName({ stream, phase }: Step): string {
  return `${stream} ${phase}`
}
