import { COMMIT_MOMENTS, MOMENTS, type Step } from './kill-plan.ts'
import type { Traps } from './step-trap.ts'

/** An entry of a zone's journal with the look that leads to it, a request, or an action. */
export type ZoneStep = Step & Traps & { readonly acted?: true }

const entering = (phase: string) => ({ stream: 'zone', entries: [{ phase }] })
const seen = (phase: string): ZoneStep => ({
  ...{ name: `zone ${phase}`, moments: MOMENTS, task: 'zones:observe', ...entering(phase) },
})
const asked = (phase: string): ZoneStep => ({
  ...{ name: `zone ${phase}`, moments: COMMIT_MOMENTS, ...entering(phase) },
})

/** Every phase of the plan; `before-commit` of an action is when it is done and its worker does not know it yet. */
export const ZONE_STEPS: readonly ZoneStep[] = [
  asked('signing'),
  seen('keys-settling'),
  seen('ds-publishing'),
  seen('signed'),
  asked('key-adding'),
  seen('new-key-settling'),
  seen('ds-replacing'),
  seen('old-ds-expiring'),
  seen('old-key-removing'),
  asked('ds-withdrawing'),
  seen('ds-expiring'),
  seen('unsigning'),
  seen('unsigned'),
  {
    name: 'zone acted upon',
    moments: ['before-effect', 'before-commit'],
    acted: true,
    task: 'zones:act',
    stream: 'zone',
    entries: [{}],
  },
]
