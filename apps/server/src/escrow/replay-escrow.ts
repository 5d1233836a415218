import type { ChainedEntry, JsonObject } from '@holdfast/core'
import { replayEscrow } from '@holdfast/core/escrow/escrow-machine'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import type { Replay } from '../platform/journal/audit-entity.ts'
import { decodeCommand, encodeEscrow } from './escrow-codec.ts'

/** What the commands of the entries lead to, each decided at the moment at which it was. */
export function replayEntries(entries: readonly Pick<ChainedEntry, 'data' | 'at'>[]): EscrowState | null {
  return replayEscrow(
    entries.map(({ data, at: now }) => ({
      command: decodeCommand(data.command as JsonObject),
      at: { now, height: Number(data.height) },
    })),
  )
}

/** For `auditEntity`. */
export const ESCROW_REPLAY: Replay = {
  table: 'escrow',
  id: 'id',
  replay(entries) {
    const state = replayEntries(entries)
    return state && encodeEscrow(state)
  },
}
