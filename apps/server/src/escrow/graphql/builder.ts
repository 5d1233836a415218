import type { Refusal } from '@holdfast/core'
import type { Msat } from '@holdfast/core/money'
import type { Hex } from '@holdfast/lightning'
import SchemaBuilder from '@pothos/core'
import type { Transaction } from '../../platform/transaction.ts'
import type { EscrowSlice } from '../escrow-slice.ts'
import type { TaskUpdate } from './follow-task.ts'
import type { Change } from './task-changes.ts'

/** What is kept of a mutation for a repetition of its request: where to read the answer. */
export type Said = { readonly task: string }

/** One request, as the resolvers see it. */
export type EscrowContext = {
  /** Who asks, or null: nobody in particular. Throws the refusal of a credential that is there but wrong. */
  viewer(): Promise<Hex | null>
  /** Signed, and once for each Idempotency-Key. */
  perform<Ready>(steps: {
    prepare: (by: Hex) => Promise<Ready>
    work: (tx: Transaction, by: Hex, ready: Ready) => Promise<Said | Refusal>
  }): Promise<{ owner: Hex; said: Said; replayed: boolean }>
  /** Throws the refusal of a task that may not be followed. */
  follow(id: string, after: string | null): Promise<AsyncIterableIterator<TaskUpdate | Refusal>>
  changes(id: string, page: { after: number; limit: number }): Promise<Change[]>
  /** Of the tasks of this server in which the key was the worker. */
  prematureSettlements(worker: Hex): Promise<number>
  /** Milliseconds since 1970. */
  now(): number
  /** How high the chain is, the same for a whole answer or update; null while the node has never said so. */
  height(): Promise<number | null>
  readonly escrows: Pick<
    EscrowSlice,
    | 'prepare'
    | 'custodies'
    | 'create'
    | 'ask'
    | 'reportPreimage'
    | 'journalReport'
    | 'find'
    | 'list'
    | 'quote'
    | 'waitFor'
  >
}

type Scalar<T> = { Input: T; Output: T }

export const builder = new SchemaBuilder<{
  Context: EscrowContext
  DefaultFieldNullability: false
  Scalars: {
    ID: Scalar<string>
    Msat: Scalar<Msat>
    Milliseconds: Scalar<number>
    PublicKey: Scalar<Hex>
    Hash: Scalar<Hex>
  }
}>({ defaultFieldNullability: false })
