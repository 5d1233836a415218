import { type Refusal, refuse } from '@holdfast/core'
import type { NameState } from '@holdfast/core/names/name-states'
import type { Hex } from '@holdfast/lightning'
import type { Transaction } from '../platform/transaction.ts'
import { request } from './name-saga.ts'
import { lockName } from './name-store.ts'

/** The owner gives up a name, or a registration that still runs. */
export async function releaseName(
  tx: Transaction,
  id: string,
  owner: Hex,
  now: number,
): Promise<NameState | Refusal> {
  const state = await lockName(tx.db, id)
  if (state === null) return refuse('NAME_NOT_FOUND')
  return request(tx, state, { kind: 'release', owner }, now)
}
