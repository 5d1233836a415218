import { killsToDo, type PlannedKill, type Step } from './kill-plan.ts'
import type { KillReport } from './kill-report.ts'
import type { ReseededRandom } from './seeded-random.ts'

/** What `npm run test:kill` was asked for. */
export const SEED = Number(process.env.HOLDFAST_TEST_SEED ?? 1)
/** The numbers of the kills that are to be done again, such as `161-180`. */
export const ONLY = process.env.HOLDFAST_TEST_ONLY

/** The kills at these steps: as many as `variable` says, or that part of them. */
export function killsAskedFor<S extends Step>(
  variable: 'HOLDFAST_TEST_KILLS' | 'HOLDFAST_TEST_ESCROW_KILLS' | 'HOLDFAST_TEST_WAITING_KILLS',
  steps: readonly S[],
  part = 1,
): PlannedKill<S>[] {
  const kills = Math.ceil(Number(process.env[variable] ?? '20') * part)
  return killsToDo({ kills, only: ONLY, seed: SEED }, steps)
}

/** Each kill has choices of its own, so that it can be done again without those before it. */
export function reseedFor(random: ReseededRandom, number: number): void {
  random.reseed(SEED * 1_000_003 + number)
}

export function howToRepeat(test: string, kills: readonly PlannedKill<Step>[], report: KillReport): string {
  const numbers = report.unchecked.map(({ number }) => number)
  const [from = report.count + kills[0]!.number, to = from] = [numbers[0], numbers.at(-1)]
  return [
    'It was one of these kills, or the one after them, which can be done again on new data:',
    `  npm run test:kill -- ${test} --seed ${SEED} --only ${from}-${to + 1}`,
  ].join('\n')
}
