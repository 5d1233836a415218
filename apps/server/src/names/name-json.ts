import { UNHEALTHY_REASONS, type Unhealthy } from '@holdfast/core/names/name-health'
import { jobProgress, nameTrouble } from '@holdfast/core/names/name-progress'
import { JOB_KINDS, type NameOffer, type NameState } from '@holdfast/core/names/name-states'
import { recordValue } from '@holdfast/protocols/bip353'
import { z } from 'zod'
import type { JobOfName } from './name-store.ts'

const milliseconds = z.number().int().describe('Milliseconds since 1970.')
const problem = z
  .strictObject({ code: z.string(), title: z.string(), hint: z.string() })
  .meta({ title: 'Failure' })

export const jobSchema = z
  .strictObject({
    id: z.string(),
    kind: z.enum(JOB_KINDS.map((kind) => `name.${kind}` as const)),
    name: z.string().describe('`user@domain`'),
    state: z
      .enum(['running', 'succeeded', 'failed'])
      .describe('`failed`: what the job had done so far is undone.'),
    percent: z.number().int().describe('0 to 100.'),
    step: z.string().describe('What is being done.'),
    stepsDone: z.array(z.strictObject({ step: z.string(), at: milliseconds })),
    error: problem.optional(),
  })
  .meta({ title: 'Job' })

export function jobJson({ name, job }: JobOfName) {
  const { stepsDone, ...progress } = jobProgress(job)
  return { id: job.id ?? '', name: textOf(name), ...progress, stepsDone: [...stepsDone] }
}

export const nameSchema = z
  .strictObject({
    name: z.string().describe('`user@domain`; shown with ₿ before it.'),
    state: z
      .enum(['registering', 'active', 'withdrawing', 'suspended', 'ended'])
      .describe(
        '`active` also while its record is being changed: until that has succeeded the old one counts.',
      ),
    owner: z.string().describe('Nostr public key, hex.'),
    jobId: z.string().describe('The job of its registration.'),
    createdAt: milliseconds,
    activeAt: milliseconds.optional(),
    offer: z.string().optional().describe('BOLT 12. Only while the name is active.'),
    uri: z.string().optional().describe('BIP-321. Only while the name is active.'),
    changeJobId: z.string().optional().describe('The job of the change that is under way.'),
    transfer: z
      .strictObject({ to: z.string(), until: milliseconds })
      .optional()
      .describe('The owner has proposed to give the name to this key, which may accept until then.'),
    unhealthy: z
      .strictObject({
        reason: z.enum(Object.keys(UNHEALTHY_REASONS) as (keyof typeof UNHEALTHY_REASONS)[]),
        title: z.string(),
        hint: z.string(),
        since: milliseconds,
      })
      .optional()
      .describe('What the watcher found wrong with an active name; see docs/dns/watching.md.'),
    trouble: problem
      .optional()
      .describe('What keeps being tried in vain; somebody may have to act before it can succeed.'),
  })
  .meta({ title: 'Name' })

export function nameJson(state: NameState) {
  const { owner, id: jobId, requestedAt: createdAt, firstActiveAt, transfer, job } = state
  const trouble = nameTrouble(state)
  const common = {
    name: textOf(state),
    owner,
    jobId,
    createdAt,
    ...(firstActiveAt !== null && { activeAt: firstActiveAt }),
    ...(transfer && { transfer }),
    ...(trouble && { trouble }),
  }
  const change =
    job.outcome === 'running' && job.id !== null && job.id !== jobId ? { changeJobId: job.id } : {}
  switch (state.phase) {
    case 'active': {
      const { unhealthy } = state
      return {
        ...common,
        ...change,
        ...shown(state.live),
        ...(unhealthy && { unhealthy: unhealthyJson(unhealthy) }),
      }
    }
    case 'restoring':
      return { ...common, ...change, ...shown(state.live) }
    case 'requested':
    case 'offer-ready':
    case 'published':
    case 'seen':
      return { ...common, ...change, ...(state.live ? shown(state.live) : { state: 'registering' as const }) }
    case 'withdrawing':
      return { ...common, state: 'withdrawing' as const }
    case 'suspended':
      return { ...common, state: 'suspended' as const }
    case 'freed':
      return { ...common, state: 'ended' as const }
  }
}

function unhealthyJson({ reason, since }: Unhealthy) {
  return { reason, ...UNHEALTHY_REASONS[reason], since }
}

function shown({ offer }: NameOffer) {
  return { state: 'active' as const, offer, uri: recordValue(offer) }
}

export function textOf({ user, domain }: { user: string; domain: string }): string {
  return `${user}@${domain}`
}
