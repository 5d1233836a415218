import { REFUSALS } from '@holdfast/core'
import type { DomainState } from '@holdfast/core/domains/domain-states'
import { z } from 'zod'
import type { Delegations } from './delegation.ts'
import { instructionsFor } from './domain-challenge.ts'

const milliseconds = z.number().int().describe('Milliseconds since 1970.')
const record = (type: string) =>
  z.strictObject({ name: z.string(), type: z.literal(type), value: z.string(), why: z.string() })

export const domainSchema = z
  .strictObject({
    domain: z.string(),
    state: z
      .enum(['pending', 'active', 'lapsed', 'ended'])
      .describe('`lapsed`: its challenge is gone; names that are there go on, new ones are refused.'),
    createdAt: milliseconds,
    verifiedAt: milliseconds.optional().describe('When its challenge was last seen.'),
    expiresAt: milliseconds.optional().describe('Until then the challenge must have been seen.'),
    nextCheckAt: milliseconds.optional(),
    aliases: z
      .enum(['delegated', 'all-names', 'each-name'])
      .optional()
      .describe(
        '`each-name`: neither a delegation nor an alias for all names was found, so each name needs a CNAME.',
      ),
    trouble: z
      .strictObject({ code: z.string(), title: z.string(), hint: z.string() })
      .optional()
      .describe('Why the latest check did not find what it should.'),
    instructions: z.strictObject({
      challenge: record('TXT'),
      allNames: record('DNAME'),
      eachName: record('CNAME'),
      delegation: z
        .strictObject({
          name: z.string(),
          ns: z.array(z.string()),
          ds: z.string().describe('Where the DS records stand once the zone is signed.'),
          why: z.string(),
        })
        .optional()
        .describe('Where this server keeps a zone for the domain.'),
      web: z.array(z.strictObject({ path: z.string(), to: z.string(), why: z.string() })),
      dnssec: z.string(),
    }),
  })
  .meta({ title: 'OwnDomain' })

export function domainJson(state: DomainState, delegated: Delegations) {
  const { domain, requestedAt: createdAt } = state
  const { web, ...inDns } = instructionsFor(state, delegated.get(state.domain))
  const common = { domain, createdAt, instructions: { ...inDns, web: [...web] } }
  if (state.phase === 'ended') return { ...common, state: 'ended' as const }
  const { dueAt: nextCheckAt, lastFailure } = state.check
  const trouble = lastFailure === null ? {} : { trouble: problem(lastFailure) }
  switch (state.phase) {
    case 'pending':
      return { ...common, state: 'pending' as const, expiresAt: state.expiresAt, nextCheckAt, ...trouble }
    case 'active':
    case 'lapsed': {
      const { phase, aliases, verifiedAt } = state
      return { ...common, state: phase, aliases, verifiedAt, nextCheckAt, ...trouble }
    }
  }
}

function problem(code: keyof typeof REFUSALS) {
  const { title, hint } = REFUSALS[code]
  return { code, title, hint }
}
