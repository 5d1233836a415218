import { nameProgress } from '@holdfast/core/names/name-progress'
import type { NameState } from '@holdfast/core/names/name-states'
import { recordValue } from '@holdfast/protocols/bip353'
import { z } from 'zod'

const milliseconds = z.number().int().describe('Milliseconds since 1970.')

export const jobSchema = z
  .strictObject({
    id: z.string(),
    kind: z.literal('name.register'),
    name: z.string().describe('`user@domain`'),
    state: z
      .enum(['running', 'succeeded', 'failed'])
      .describe('`failed`: the name is free again and nothing is left in the DNS.'),
    percent: z.number().int().describe('0 to 100.'),
    step: z.string().describe('What is being done.'),
    stepsDone: z.array(z.strictObject({ step: z.string(), at: milliseconds })),
    error: z.strictObject({ code: z.string(), title: z.string(), hint: z.string() }).optional(),
  })
  .meta({ title: 'Job' })

export function jobJson(state: NameState) {
  const { stepsDone, ...progress } = nameProgress(state)
  return {
    id: state.id,
    kind: 'name.register' as const,
    name: `${state.user}@${state.domain}`,
    ...progress,
    stepsDone: [...stepsDone],
  }
}

export const nameSchema = z
  .strictObject({
    name: z.string().describe('`user@domain`; shown with ₿ before it.'),
    state: z.enum(['registering', 'active', 'withdrawing', 'ended']),
    owner: z.string().describe('Nostr public key, hex.'),
    jobId: z.string(),
    createdAt: milliseconds,
    activeAt: milliseconds.optional(),
    offer: z.string().optional().describe('BOLT 12. Only while the name is active.'),
    uri: z.string().optional().describe('BIP-321. Only while the name is active.'),
  })
  .meta({ title: 'Name' })

export function nameJson(state: NameState) {
  const { user, domain, owner, id: jobId, requestedAt: createdAt } = state
  const common = { name: `${user}@${domain}`, owner, jobId, createdAt }
  switch (state.phase) {
    case 'requested':
    case 'offer-ready':
    case 'published':
    case 'seen':
      return { ...common, state: 'registering' as const }
    case 'active': {
      const { offer } = state.offer
      return { ...common, state: 'active' as const, activeAt: state.activeAt, offer, uri: recordValue(offer) }
    }
    case 'withdrawing':
      return { ...common, state: 'withdrawing' as const }
    case 'disabling':
    case 'freed':
      return { ...common, state: 'ended' as const }
  }
}
