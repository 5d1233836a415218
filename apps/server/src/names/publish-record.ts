import type { DnsZone } from '@holdfast/core/dns-zone'
import type { NameState } from '@holdfast/core/names/name-states'
import { recordValue } from '@holdfast/protocols/bip353'
import { type Failed, failureOfZone } from './effect-outcome.ts'
import { publishOver, recordOf } from './name-record.ts'

export async function publishRecord(
  zone: DnsZone,
  state: NameState,
  { offer, replaces }: { readonly offer: string; readonly replaces: readonly string[] },
): Promise<'done' | Failed> {
  try {
    await publishOver(zone, recordOf(state, offer), replaces.map(recordValue))
    return 'done'
  } catch (error) {
    return failureOfZone(error)
  }
}
