import { setTimeout as sleep } from 'node:timers/promises'
import type { AuthoritativeAnswer, DnsZone } from '@holdfast/core/dns-zone'
import type { NameState } from '@holdfast/core/names/name-states'
import { recordName, recordValue } from '@holdfast/protocols/bip353'
import { within } from '../platform/within.ts'
import { type Failed, failureOfZone, unavailable } from './effect-outcome.ts'

/** How long one run of the job asks again; after that the saga's own backoff takes over. */
const PATIENCE_MS = 2_000
const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 250
const ANSWER_TIMEOUT_MS = 10_000

/**
 * Every authoritative server must show the record, signed, before any resolver is asked: one that had to say "no such
 * name" would remember it for the zone's negative TTL.
 */
export async function checkAuthoritative(
  zone: DnsZone,
  state: NameState,
  offer: string,
  signal: AbortSignal,
): Promise<'done' | Failed> {
  const until = performance.now() + PATIENCE_MS
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const verdict = await look(zone, state, offer)
    if (verdict === 'done' || signal.aborted || performance.now() + pause > until) return verdict
    await sleep(pause)
  }
}

async function look(zone: DnsZone, state: NameState, offer: string): Promise<'done' | Failed> {
  try {
    const answers = await within(ANSWER_TIMEOUT_MS, zone.authoritative(recordName(state)))
    if (answers.length === 0) return unavailable('DNS_UNAVAILABLE')
    for (const answer of answers) {
      const verdict = judge(answer, recordValue(offer))
      if (verdict !== 'done') return verdict
    }
    return 'done'
  } catch (error) {
    return failureOfZone(error)
  }
}

function judge(answer: AuthoritativeAnswer, value: string): 'done' | Failed {
  if ('failure' in answer) return unavailable('DNS_UNAVAILABLE')
  if (answer.values.length === 0) return unavailable('RESOLVE_NO_SUCH_NAME')
  if (answer.values.length > 1) return unavailable('RESOLVE_AMBIGUOUS')
  if (answer.values[0] !== value) return unavailable('RECORD_OCCUPIED')
  return answer.signed ? 'done' : unavailable('RESOLVE_UNSIGNED')
}
