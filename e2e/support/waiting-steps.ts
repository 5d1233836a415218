import { COMMIT_MOMENTS, MOMENTS, type Step } from './kill-plan.ts'
import type { Traps } from './step-trap.ts'

/** What brings some name or domain to a step. */
export type WaitingStory =
  /** A live name's offer is about to expire, and its node makes another. */
  | 'renewal'
  /** The same, but nobody can resolve what is published. */
  | 'vain renewal'
  /** A live name's record is gone, by whoever's hand. */
  | 'lost record'
  /** An offer that was brought expires. */
  | 'expiry'
  | 'claim'
  /** A merchant has claimed a domain and shows nothing. */
  | 'silence'
  /** … shows the challenge. */
  | 'proof'
  /** … has proven it, and takes the challenge away. */
  | 'lapse'
  | 'giving up'
  /** Somebody else proves a domain whose first owner shows nothing any more. */
  | 'rival'

export type WaitingStep = Step & Traps & { readonly story: WaitingStory }

const name = (story: WaitingStory) => ({ stream: 'name', story })
const domain = (story: WaitingStory) => ({ stream: 'domain', story })
const commits = { moments: COMMIT_MOMENTS } as const
const after = (task: string) => ({ moments: MOMENTS, task })
const entry = (phase: string, kind: string) => ({ entries: [{ phase, command: { kind } }] })

/** Every step of what names and merchants' domains do when their time has come, of a repair, and of a domain's claim. */
export const WAITING_STEPS: readonly WaitingStep[] = [
  { name: 'name to renew', ...name('renewal'), ...entry('requested', 'time-passed'), ...commits },
  {
    name: 'renewal offer-ready',
    ...name('renewal'),
    ...entry('offer-ready', 'offer-made'),
    ...after('names:make-offer'),
  },
  {
    name: 'renewal published',
    ...name('renewal'),
    ...entry('published', 'record-published'),
    ...after('names:publish-record'),
  },
  {
    name: 'renewal seen',
    ...name('renewal'),
    ...entry('seen', 'record-seen'),
    ...after('names:check-authoritative'),
  },
  {
    name: 'renewal active',
    ...name('renewal'),
    ...entry('active', 'chain-validated'),
    ...after('names:validate-chain'),
  },
  {
    name: 'old offer disabled',
    ...name('renewal'),
    ...entry('active', 'offer-disabled'),
    ...after('names:disable-offer'),
  },
  {
    name: 'renewal to undo',
    ...name('vain renewal'),
    entries: [{ phase: 'restoring' }],
    ...commits,
  },
  {
    name: 'renewal undone',
    ...name('vain renewal'),
    ...entry('active', 'record-settled'),
    ...after('names:settle-record'),
  },
  { name: 'name unhealthy', ...name('lost record'), ...entry('active', 'unhealthy'), ...commits },
  {
    name: 'record put back',
    ...name('lost record'),
    ...entry('active', 'record-settled'),
    ...after('names:settle-record'),
  },
  { name: 'name healthy again', ...name('lost record'), ...entry('active', 'healthy'), ...commits },
  { name: 'name expiring', ...name('expiry'), ...entry('withdrawing', 'time-passed'), ...commits },
  {
    name: 'name expired',
    ...name('expiry'),
    ...entry('freed', 'record-settled'),
    ...after('names:settle-record'),
  },
  { name: 'domain claimed', ...domain('claim'), ...entry('pending', 'claim'), ...commits },
  {
    name: 'domain not proven',
    ...domain('silence'),
    ...entry('pending', 'not-verified'),
    ...after('domains:check'),
  },
  { name: 'domain proven', ...domain('proof'), ...entry('active', 'verified'), ...after('domains:check') },
  {
    name: 'domain lapsed',
    ...domain('lapse'),
    ...entry('lapsed', 'not-verified'),
    ...after('domains:check'),
  },
  { name: 'domain dropped', ...domain('silence'), entries: [{ phase: 'ended' }], ...commits },
  { name: 'domain given up', ...domain('giving up'), ...entry('ended', 'give-up'), ...commits },
  { name: 'domain displaced', ...domain('rival'), ...entry('ended', 'displaced'), ...commits },
]
