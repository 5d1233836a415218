import type { JsonObject } from '@holdfast/core'
import type { NewJob, Transaction } from './transaction.ts'

/** What a pure `decide` answers. The same state again: nothing has changed. */
export type Decision<S, E> = { readonly state: S; readonly effects: readonly E[] }

/** What was decided about, at which moment, and on whose behalf. */
export type Cause<C> = {
  readonly command: C
  /** As `EntryContent` of core says. */
  readonly actor: string
  /** Milliseconds since 1970. */
  readonly now: number
  /** What the entry says besides. */
  readonly also?: JsonObject
}

/** A kind of durable thing: how its decisions stand in the journal, and which jobs carry them out. */
export type Entity<S, C extends { readonly kind: string }, E> = {
  /** Names the stream, and with the command's kind the entry: `name.register`. */
  readonly stream: string
  idOf(state: S): string
  /** What the entry shows of the state; with the command it is the whole entry. */
  shown(state: S): JsonObject
  encode(command: C): JsonObject
  jobOf(id: string, effect: E, now: number): NewJob
}

/**
 * The end of every decision, in the transaction that has kept its state: the entry, and the jobs of its effects. The
 * entry holds the whole command, so that replaying the entries gives the state again; where nothing changed there is
 * none. `before` is null for what is new. `left` is what the transaction leaves, where others decide after this.
 */
export function record<S, C extends { readonly kind: string }, E>(
  tx: Transaction,
  { stream, idOf, shown, encode, jobOf }: Entity<S, C, E>,
  before: S | null,
  { state, effects }: Decision<S, E>,
  { command, actor, now, also }: Cause<C>,
  left: () => S = () => state,
): void {
  const id = idOf(state)
  if (state !== before)
    tx.append({
      stream,
      entityId: id,
      kind: `${stream}.${command.kind}`,
      data: { ...shown(state), ...also, command: encode(command) },
      actor,
      at: new Date(now),
      isFirst: before === null,
    })
  for (const effect of effects) tx.enqueue({ ...jobOf(id, effect, now), left })
}
