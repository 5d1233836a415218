import type { JsonObject } from '@holdfast/core'
import { COMMIT_MOMENTS, MOMENTS, type Step } from './kill-plan.ts'
import type { Traps } from './step-trap.ts'

/** An entry of the journal, and the worker's task that leads to it; without one it is a request. */
export type ServerStep = Step & {
  readonly stream: 'name' | 'payment' | 'address-invoice'
  /** What the entry's data contain. */
  readonly entry: JsonObject
  readonly task?: string
  /** What has to be asked for beside the usual, for some saga to come there. */
  readonly needs?:
    | 'release'
    | 'suspension'
    | 'transfer'
    | 'cancellation'
    | 'change'
    | 'resumption'
    | 'new name'
    | 'too much'
    | 'address invoice'
}

const REQUEST = { moments: COMMIT_MOMENTS } as const
const after = (task: string) => ({ moments: MOMENTS, task })
const phase = (phase: string) => ({ entry: { phase } })
const command = (kind: string) => ({ entry: { command: { kind } } })

/**
 * Every step of the name saga that somebody asks for, its changes and its compensation included, of a payment, and of an
 * invoice that was asked for at a Lightning Address. What time brings, such as renewals, and what fails, and each kind of
 * change by itself, has steps of its own (`WAITING_STEPS`).
 */
export const SERVER_STEPS: readonly ServerStep[] = [
  { name: 'name requested', stream: 'name', ...phase('requested'), ...REQUEST },
  { name: 'name offer-ready', stream: 'name', ...phase('offer-ready'), ...after('names:make-offer') },
  { name: 'name published', stream: 'name', ...phase('published'), ...after('names:publish-record') },
  { name: 'name seen', stream: 'name', ...phase('seen'), ...after('names:check-authoritative') },
  { name: 'name active', stream: 'name', ...phase('active'), ...after('names:validate-chain') },
  { name: 'name to change', stream: 'name', ...command('change-offer'), ...REQUEST, needs: 'change' },
  { name: 'name proposed', stream: 'name', ...command('propose-transfer'), ...REQUEST, needs: 'transfer' },
  {
    name: 'proposal taken back',
    stream: 'name',
    ...command('cancel-transfer'),
    ...REQUEST,
    needs: 'cancellation',
  },
  { name: 'name taken over', stream: 'name', ...command('accept-transfer'), ...REQUEST, needs: 'transfer' },
  { name: 'name to resume', stream: 'name', ...command('resume'), ...REQUEST, needs: 'resumption' },
  { name: 'name to suspend', stream: 'name', ...command('suspend'), ...REQUEST, needs: 'suspension' },
  { name: 'name withdrawing', stream: 'name', ...phase('withdrawing'), ...REQUEST, needs: 'release' },
  {
    name: 'name suspended',
    stream: 'name',
    ...phase('suspended'),
    ...after('names:settle-record'),
    needs: 'suspension',
  },
  {
    name: 'name freed',
    stream: 'name',
    ...phase('freed'),
    ...after('names:settle-record'),
    needs: 'release',
  },
  {
    name: 'payment resolving',
    stream: 'payment',
    ...phase('resolving'),
    ...REQUEST,
    needs: 'new name',
  },
  {
    name: 'payment sending',
    stream: 'payment',
    ...phase('sending'),
    ...after('payments:resolve'),
    needs: 'new name',
  },
  { name: 'payment succeeded', stream: 'payment', ...phase('succeeded'), ...after('payments:pay') },
  {
    name: 'payment failed',
    stream: 'payment',
    ...phase('failed'),
    ...after('payments:pay'),
    needs: 'too much',
  },
  {
    name: 'address invoice paid',
    stream: 'address-invoice',
    entry: {},
    ...after('lightning-address:look'),
    needs: 'address invoice',
  },
]

export function trapsOf({ task, stream, entry }: ServerStep): Traps {
  return { ...(task !== undefined && { task }), stream, entries: [entry] }
}
