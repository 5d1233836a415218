import { REFUSALS } from '../refusals.ts'
import type { Cause, JobKind, NameJob, NameState, NameStep, StepDone } from './name-states.ts'

/** How far a registration or a change has come, as `GET /v1/jobs/:id` tells it. */
export type NameProgress = {
  readonly kind: `name.${JobKind}`
  readonly state: 'running' | 'succeeded' | 'failed'
  /** 0 … 100; 100 only when the name is active. */
  readonly percent: number
  /** What is being done, or `done` / `undone`. */
  readonly step: string
  readonly stepsDone: readonly StepDone[]
  readonly error?: NameProblem
}

export type NameProblem = { readonly code: Cause; readonly title: string; readonly hint: string }

/** Without `resolvers-confirmed`, which comes together with the last and only where resolvers are asked. */
const STEPS = 5

/** Of the name's latest job, or of one that others followed: then it has ended. */
export function jobProgress({ kind, outcome, stepsDone, cause }: NameJob): NameProgress {
  const done = stepsDone.length
  const base = {
    kind: `name.${kind}`,
    percent: Math.min(100, Math.floor((100 * done) / STEPS)),
    stepsDone,
  } as const
  const error = cause === null ? {} : { error: problemOf(cause) }
  switch (outcome) {
    case 'succeeded':
      return { ...base, state: 'succeeded', step: 'done' }
    case 'failed':
      return { ...base, state: 'failed', step: 'undone', ...error }
    case 'running':
      return { ...base, state: 'running', step: cause === null ? stepAfter(stepsDone) : 'undo', ...error }
  }
}

/** What keeps being tried in vain, so that a person may have to act; null: nothing. */
export function nameTrouble(state: NameState): NameProblem | null {
  const waits = [state.cleaning?.wait ?? null, ...state.retiring.map(({ wait }) => wait)]
  const code = waits.find((wait) => wait !== null && wait.lastFailure !== null)?.lastFailure ?? null
  return code === null ? null : problemOf(code)
}

function problemOf(code: Cause): NameProblem {
  const { title, hint } = REFUSALS[code]
  return { code, title, hint }
}

const NEXT_STEP = {
  accepted: 'make-offer',
  'name-claimed': 'make-offer',
  'offer-ready': 'publish-record',
  'record-published': 'check-authoritative',
  'record-seen': 'validate-chain',
  'resolvers-confirmed': 'validate-chain',
  'chain-validated': 'done',
} as const satisfies Record<NameStep, string>

function stepAfter(stepsDone: readonly StepDone[]): string {
  return NEXT_STEP[stepsDone.at(-1)?.step ?? 'accepted']
}
