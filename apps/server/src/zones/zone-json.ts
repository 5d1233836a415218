import { actionOf } from '@holdfast/core/zones/zone-moves'
import {
  ZONE_PHASES,
  type ZoneAction,
  type ZoneProblem,
  type ZoneState,
} from '@holdfast/core/zones/zone-states'
import { z } from 'zod'
import { dsText } from './act-on-zone.ts'

const time = z.string().describe('ISO 8601, UTC.')

export const zoneSchema = z
  .strictObject({
    domain: z.string(),
    phase: z.enum(ZONE_PHASES),
    since: time,
    waitsUntil: time.nullable().describe('Until what resolvers may remember of before has run out.'),
    ds: z.array(z.string()).describe('DS records in presentation form: what the parent has or shall have.'),
    problem: z.strictObject({ code: z.string(), text: z.string() }).nullable(),
    todo: z
      .strictObject({ action: z.string(), text: z.string(), records: z.array(z.string()) })
      .nullable()
      .describe('What the plan waits for somebody to do.'),
  })
  .meta({ title: 'Zone', description: 'Where a zone stands on its way into DNSSEC or out of it.' })

export function zoneJson(state: ZoneState): z.infer<typeof zoneSchema> {
  const wanted = actionOf(state)
  const ds = 'ds' in state ? state.ds : 'old' in state ? state.old : []
  return {
    domain: state.domain,
    phase: state.phase,
    since: new Date(state.enteredAt).toISOString(),
    waitsUntil: 'until' in state ? new Date(state.until).toISOString() : null,
    ds: ds.map(dsText),
    problem: state.problem && { code: state.problem.code, text: problemText(state.problem) },
    todo: wanted && {
      action: wanted.action,
      text: instruction(wanted.action, state.domain),
      records: wanted.ds.map((record) => `${state.domain}. DS ${dsText(record)}`),
    },
  }
}

function instruction(action: ZoneAction, domain: string): string {
  switch (action) {
    case 'sign':
      return `Have the DNS server sign ${domain} (algorithm 13), at every authoritative server. Publish no DS yet.`
    case 'publish-ds':
      return `Have the zone above ${domain} (at its registrar, or where it is delegated) show exactly these DS records.`
    case 'withdraw-ds':
      return `Have the zone above ${domain} (at its registrar, or where it is delegated) show no DS records. Leave ${domain} signed.`
    case 'unsign':
      return `Nothing points to the keys of ${domain} any more: signing may be switched off.`
    case 'add-key':
      return `Have the DNS server add a new key signing key to ${domain} and sign with both. Leave the DS as it is.`
    case 'remove-key':
      return `Remove the keys of ${domain} to which these DS records pointed; the new ones stay.`
  }
}

function problemText(problem: ZoneProblem): string {
  switch (problem.code) {
    case 'SERVER_SILENT':
      return `No usable answer from ${problem.servers.join(', ')}; the plan waits for every server.`
    case 'ACTION_FAILED':
      return `${problem.action} failed and will be tried again: ${problem.reason}`
    case 'PERSON_NEEDED':
      return `${problem.action} is for a person to do; the plan goes on when it is seen.`
    case 'SERVERS_DIFFER':
      return 'The servers of the parent do not all show the same DS records.'
    case 'DS_WITHOUT_KEY':
      return 'The parent points to keys that the zone does not show everywhere: validating resolvers refuse the zone.'
    case 'DS_MISSING':
      return 'The parent shows no DS any more: the names of this zone cannot be proven.'
    case 'NOT_SECURE_FROM_ROOT':
      return `Validated from the root, the zone is ${problem.fromRoot}.`
  }
}
