import { REFUSALS } from '../refusals.ts'
import { NAME_STEPS, type NameState, type StepDone } from './name-states.ts'

/** How far a registration has come, as `GET /v1/jobs/:id` tells it. */
export type NameProgress = {
  readonly state: 'running' | 'succeeded' | 'failed'
  /** 0 … 100; 100 only when the name is active. */
  readonly percent: number
  /** What is being done, or `done` / `undone`. */
  readonly step: string
  readonly stepsDone: readonly StepDone[]
  readonly error?: { readonly code: string; readonly title: string; readonly hint: string }
}

const STEP_NAMES = {
  requested: 'make-offer',
  'offer-ready': 'publish-record',
  published: 'check-authoritative',
  seen: 'validate-chain',
  active: 'done',
  withdrawing: 'withdraw-record',
  disabling: 'disable-offer',
  freed: 'undone',
} as const satisfies Record<NameState['phase'], string>

/** A registration that reached `active` has succeeded, even when the name was released later. */
export function nameProgress(state: NameState): NameProgress {
  const complete = state.stepsDone.some(({ step }) => step === 'chain-validated')
  const base = {
    percent: complete ? 100 : Math.floor((100 * state.stepsDone.length) / NAME_STEPS.length),
    stepsDone: state.stepsDone,
  }
  if (complete) return { state: 'succeeded', ...base, step: 'done' }
  const step = STEP_NAMES[state.phase]
  switch (state.phase) {
    case 'requested':
    case 'offer-ready':
    case 'published':
    case 'seen':
    case 'active':
      return { state: 'running', ...base, step }
    case 'withdrawing':
      return { state: 'running', ...base, step, error: errorOf(state.cause) }
    case 'disabling':
    case 'freed':
      return { state: 'failed', ...base, step, error: errorOf(state.cause) }
  }
}

function errorOf(code: keyof typeof REFUSALS) {
  const { title, hint } = REFUSALS[code]
  return { code, title, hint }
}
