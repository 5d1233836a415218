import type { DomainCommand, DomainState } from '@holdfast/core/domains/domain-states'
import type { EffectDone, NameCommand } from '@holdfast/core/names/name-commands'
import type { NameState } from '@holdfast/core/names/name-states'
import { COMMIT_MOMENTS, MOMENTS, type Step } from './kill-plan.ts'
import type { Traps } from './step-trap.ts'
import type { DOMAIN_STORIES } from './waiting-domains.ts'
import type { NAME_STORIES } from './waiting-names.ts'

type NameStory = keyof typeof NAME_STORIES
type DomainStory = keyof typeof DOMAIN_STORIES
/** What brings some name or domain to a step. */
export type WaitingStory = NameStory | DomainStory

export type WaitingStep = Step & Traps & { readonly story: WaitingStory }

/** A name hears this, or one of these, and is then in this phase; absent: in whatever phase. */
type NameLine = {
  readonly story: NameStory
  readonly name: string
  readonly phase?: NameState['phase']
  readonly hears: NameCommand['kind'] | typeof TOO_LATE
  /** What it hears to have failed. */
  readonly failed?: EffectDone['kind']
}

type DomainLine = {
  readonly story: DomainStory
  readonly name: string
  readonly phase: DomainState['phase']
  readonly hears: DomainCommand['kind'] | typeof NEVER_PROVEN
}

/** The deadline is noticed by the clock, or by an effect that has failed once more. */
const TOO_LATE = ['time-passed', 'effect-failed'] as const satisfies NameCommand['kind'][]
const NEVER_PROVEN = ['time-passed', 'not-verified'] as const satisfies DomainCommand['kind'][]

/** Whose job reports it. */
const EFFECTS: { readonly [kind in NameCommand['kind']]?: EffectDone['kind'] } = {
  'offer-made': 'make-offer',
  'record-published': 'publish-record',
  'record-seen': 'check-authoritative',
  'chain-validated': 'validate-chain',
  'record-settled': 'settle-record',
  'offer-disabled': 'disable-offer',
}

/** Another offer comes to stand in the DNS. */
const round = (story: NameStory): NameLine[] => [
  { story, name: `${story} offer-ready`, phase: 'offer-ready', hears: 'offer-made' },
  { story, name: `${story} published`, phase: 'published', hears: 'record-published' },
  { story, name: `${story} seen`, phase: 'seen', hears: 'record-seen' },
  { story, name: `${story} active`, phase: 'active', hears: 'chain-validated' },
]

const CHANGES: readonly NameLine[] = [
  { story: 'renewal', name: 'name to renew', phase: 'requested', hears: 'time-passed' },
  ...round('renewal'),
  { story: 'renewal', name: 'old offer disabled', phase: 'active', hears: 'offer-disabled' },
  ...round('rotation'),
  { story: 'rotation', name: 'rotated offer disabled', phase: 'active', hears: 'offer-disabled' },
  ...round('transfer'),
  { story: 'transfer', name: 'former offer disabled', phase: 'active', hears: 'offer-disabled' },
  { story: 'resumption', name: 'resumption requested', phase: 'requested', hears: 'resume' },
  { story: 'resumption', name: 'expired offer disabled', hears: 'offer-disabled' },
  ...round('resumption'),
]

const COMPENSATIONS: readonly NameLine[] = [
  { story: 'vain renewal', name: 'renewal to undo', phase: 'restoring', hears: TOO_LATE },
  { story: 'vain renewal', name: 'renewal undone', phase: 'active', hears: 'record-settled' },
  {
    story: 'offerless renewal',
    name: 'offerless renewal undone',
    phase: 'active',
    hears: TOO_LATE,
  },
  {
    story: 'offerless renewal',
    name: 'unheard renewal disabled',
    phase: 'active',
    hears: 'offer-disabled',
  },
  { story: 'vain transfer', name: 'transfer undone', phase: 'active', hears: 'record-settled' },
  {
    story: 'vain resumption',
    name: 'resumption not resolved',
    phase: 'seen',
    hears: 'effect-failed',
    failed: 'validate-chain',
  },
  { story: 'vain resumption', name: 'resumption to undo', phase: 'withdrawing', hears: TOO_LATE },
  { story: 'vain resumption', name: 'resumption undone', phase: 'suspended', hears: 'record-settled' },
  {
    story: 'offerless resumption',
    name: 'resumption without an offer',
    phase: 'requested',
    hears: 'effect-failed',
    failed: 'make-offer',
  },
  {
    story: 'offerless resumption',
    name: 'offerless resumption undone',
    phase: 'suspended',
    hears: TOO_LATE,
  },
  {
    story: 'offerless resumption',
    name: 'unheard resumption disabled',
    phase: 'suspended',
    hears: 'offer-disabled',
  },
  { story: 'second resumption', name: 'second resumption', phase: 'requested', hears: 'resume' },
  { story: 'resumption called off', name: 'resumption called off', phase: 'suspended', hears: 'suspend' },
  {
    story: 'vain registration',
    name: 'registration to undo',
    phase: 'withdrawing',
    hears: TOO_LATE,
  },
  { story: 'vain registration', name: 'registration undone', phase: 'freed', hears: 'record-settled' },
  { story: 'vain registration', name: 'vain offer disabled', phase: 'freed', hears: 'offer-disabled' },
  {
    story: 'offerless registration',
    name: 'offerless registration undone',
    phase: 'freed',
    hears: TOO_LATE,
  },
  { story: 'letting go', name: 'suspended name let go', phase: 'freed', hears: 'release' },
  { story: 'letting go', name: 'kept offer disabled', phase: 'freed', hears: 'offer-disabled' },
  { story: 'overtaken rotation', name: 'rotation overtaken', phase: 'withdrawing', hears: 'suspend' },
  { story: 'overtaken rotation', name: 'overtaken offer disabled', hears: 'offer-disabled' },
  { story: 'overtaken suspension', name: 'suspension overtaken', phase: 'withdrawing', hears: 'release' },
]

const OBSTACLES: readonly NameLine[] = [
  {
    story: 'registration beside a stranger',
    name: 'registration occupied',
    phase: 'freed',
    hears: 'effect-failed',
    failed: 'publish-record',
  },
  {
    story: 'rotation beside a stranger',
    name: 'rotation occupied',
    phase: 'active',
    hears: 'effect-failed',
    failed: 'publish-record',
  },
  {
    story: 'resumption beside a stranger',
    name: 'resumption occupied',
    phase: 'withdrawing',
    hears: 'effect-failed',
    failed: 'publish-record',
  },
  {
    story: 'publication unheard',
    name: 'publication unheard',
    phase: 'offer-ready',
    hears: 'effect-failed',
    failed: 'publish-record',
  },
  {
    story: 'look unheard',
    name: 'look unheard',
    phase: 'published',
    hears: 'effect-failed',
    failed: 'check-authoritative',
  },
  {
    story: 'withdrawal unheard',
    name: 'withdrawal unheard',
    phase: 'withdrawing',
    hears: 'effect-failed',
    failed: 'settle-record',
  },
  {
    story: 'disabling unheard',
    name: 'disabling unheard',
    phase: 'active',
    hears: 'effect-failed',
    failed: 'disable-offer',
  },
]

const RECORDS: readonly NameLine[] = [
  { story: 'lost record', name: 'name unhealthy', phase: 'active', hears: 'unhealthy' },
  { story: 'lost record', name: 'record put back', phase: 'active', hears: 'record-settled' },
  { story: 'lost record', name: 'name healthy again', phase: 'active', hears: 'healthy' },
  { story: 'missing record', name: 'missing record found', phase: 'active', hears: 'record-found' },
  { story: 'left record', name: 'left record found', phase: 'suspended', hears: 'record-found' },
  { story: 'left record', name: 'left record withdrawn', phase: 'suspended', hears: 'record-settled' },
  { story: 'expiry', name: 'name expiring', phase: 'withdrawing', hears: 'time-passed' },
  { story: 'expiry', name: 'name expired', phase: 'freed', hears: 'record-settled' },
]

const DOMAINS: readonly DomainLine[] = [
  { story: 'claim', name: 'domain claimed', phase: 'pending', hears: 'claim' },
  { story: 'silence', name: 'domain not proven', phase: 'pending', hears: 'not-verified' },
  { story: 'impatience', name: 'look at a domain asked for', phase: 'pending', hears: 'check-now' },
  { story: 'proof', name: 'domain proven', phase: 'active', hears: 'verified' },
  { story: 'lapse', name: 'proof missed', phase: 'active', hears: 'not-verified' },
  { story: 'lapse', name: 'domain lapsed', phase: 'lapsed', hears: 'not-verified' },
  { story: 'return', name: 'domain proven again', phase: 'active', hears: 'verified' },
  { story: 'silence', name: 'domain dropped', phase: 'ended', hears: NEVER_PROVEN },
  { story: 'giving up', name: 'domain given up', phase: 'ended', hears: 'give-up' },
  { story: 'rival', name: 'domain displaced', phase: 'ended', hears: 'displaced' },
]

/**
 * Every step of what names and merchants' domains do when their time has come, of changes and of what undoes them, of
 * repairs, and of a domain's claim. What else somebody asks for has steps of its own (`SERVER_STEPS`).
 */
export const WAITING_STEPS: readonly WaitingStep[] = [
  ...[...CHANGES, ...COMPENSATIONS, ...OBSTACLES, ...RECORDS].map(stepOfName),
  {
    ...{ story: 'comparison', name: 'zone compared' },
    ...{ stream: 'reconciliation', entries: [{}], moments: COMMIT_MOMENTS },
  },
  ...DOMAINS.map(stepOfDomain),
]

function stepOfName({ story, name, phase, hears, failed }: NameLine): WaitingStep {
  const entries = [hears].flat().map((kind) => ({
    ...(phase && { phase }),
    command: { kind, ...(failed && { effect: { kind: failed } }) },
  }))
  const effect = failed ?? (typeof hears === 'string' ? EFFECTS[hears] : undefined)
  const when = effect ? { moments: MOMENTS, task: `names:${effect}` } : { moments: COMMIT_MOMENTS }
  return { name, story, stream: 'name', entries, ...when }
}

function stepOfDomain({ story, name, phase, hears }: DomainLine): WaitingStep {
  const entries = [hears].flat().map((kind) => ({ phase, command: { kind } }))
  const isOfLook = hears === 'verified' || hears === 'not-verified'
  const when = isOfLook ? { moments: MOMENTS, task: 'domains:check' } : { moments: COMMIT_MOMENTS }
  return { name, story, stream: 'domain', entries, ...when }
}
