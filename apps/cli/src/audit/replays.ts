import { isRefusal, type JsonObject, type Refusal } from '@holdfast/core'
import { decideDomain } from '@holdfast/core/domains/domain-machine'
import type { DomainCommand, DomainState } from '@holdfast/core/domains/domain-states'
import type { NameCommand } from '@holdfast/core/names/name-commands'
import { replayName } from '@holdfast/core/names/name-machine'
import { replayPayment } from '@holdfast/core/payments/payment-machine'
import { decideZone } from '@holdfast/core/zones/zone-plan'
import type { ZoneCommand, ZoneState } from '@holdfast/core/zones/zone-states'
import { ESCROW_REPLAY } from '@holdfast/server/escrow/replay-escrow'
import { decodeCommand, encodePayment } from '@holdfast/server/payments/payment-codec'
import type { Replay } from '@holdfast/server/platform/journal/audit-entity'

/** Of streams that are not here only the chain can be verified. */
export const REPLAYS: ReadonlyMap<string, Replay> = new Map<string, Replay>([
  ['escrow', ESCROW_REPLAY],
  [
    'payment',
    {
      table: 'payment',
      id: 'id',
      replay(entries) {
        const state = replayPayment(
          entries.map(({ data, at }) => ({ command: decodeCommand(data.command as JsonObject), at })),
        )
        return state && encodePayment(state)
      },
    },
  ],
  [
    'name',
    {
      table: 'name_registration',
      id: 'id',
      replay: (entries) =>
        asJson(replayName(entries.map(({ data, at }) => ({ command: commandOf<NameCommand>(data), at })))),
    },
  ],
  ['domain', { table: 'domain_claim', id: 'id', replay: reduce<DomainState, DomainCommand>(decideDomain) }],
  ['zone', { table: 'zone', id: 'domain', replay: reduce<ZoneState, ZoneCommand>(decideZone) }],
])

function reduce<State, Command>(
  decide: (state: State | null, command: Command, now: number) => { readonly state: State } | Refusal,
): Replay['replay'] {
  return (entries) =>
    asJson(
      entries.reduce<State | null>((state, { data, at }) => {
        const decision = decide(state, commandOf<Command>(data), at)
        return isRefusal(decision) ? state : decision.state
      }, null),
    )
}

function commandOf<Command>(data: JsonObject): Command {
  return data.command as unknown as Command
}

/** As `jsonb` gives it back. */
function asJson(state: unknown): JsonObject | null {
  return state === null ? null : (JSON.parse(JSON.stringify(state)) as JsonObject)
}
