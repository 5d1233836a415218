import type { CallOptions, MutationOptions } from '../call-options.ts'
import type { Clock } from '../clock.ts'
import type { GraphqlClient } from '../graphql/graphql-client.ts'
import { followUpdates, type WatchOptions } from './follow-updates.ts'
import {
  type Change,
  DOCUMENTS,
  MUTATIONS,
  type MutationName,
  type Operations,
  type QueryName,
  type SubscriptionName,
  type Task,
} from './operations.generated.ts'
import { type FundingEnd, type FundingWatch, watchFunding } from './watch-funding.ts'

/** Each mutation as a method: its `input`, and what it answers. */
type Mutations = {
  readonly [Name in MutationName]: (
    input: Operations[Name]['variables']['input'],
    options?: MutationOptions,
  ) => Promise<Operations[Name]['result']>
}

export type TaskUpdate = Operations['taskUpdated']['result']
export type MilestoneUpdate = Operations['milestoneUpdated']['result']

/**
 * Escrow, over GraphQL: every operation of the published schema. Every method throws `HoldfastError`. Amounts are
 * bigint millisatoshi, times milliseconds since 1970. Without a signer only what everybody may see is seen.
 */
export type EscrowClient = Mutations & {
  /** The custody labels that this operator's node can give. */
  custodies(options?: CallOptions): Promise<Operations['custodies']['result']>
  /** What a milestone of this payout costs. */
  quote(payoutMsat: bigint, options?: CallOptions): Promise<Operations['quote']['result']>
  task(id: string, options?: CallOptions): Promise<Task>
  /** The journal of a task, oldest first. `after`: the `seq` of the last change that is known. */
  changes(
    id: string,
    page?: { readonly after?: number; readonly first?: number },
    options?: CallOptions,
  ): Promise<readonly Change[]>
  /**
   * Newest first. `after`: `pageInfo.endCursor` of the page before. The other way round, `last` of those `before` a
   * `pageInfo.startCursor`.
   */
  tasks(
    page?: Operations['tasks']['variables'],
    options?: CallOptions,
  ): Promise<Operations['tasks']['result']>
  /** The task now, and again whenever it changes, until it has ended; reconnects by itself. */
  watchTask(id: string, options?: WatchOptions): AsyncGenerator<TaskUpdate, void>
  /** The same of one milestone. */
  watchMilestone(
    id: { readonly taskId: string; readonly milestone: number },
    options?: WatchOptions,
  ): AsyncGenerator<MilestoneUpdate, void>
  /** For the buyer's wallet: see `watchFunding`. */
  watchFunding(watch: FundingWatch): Promise<FundingEnd>
}

export function makeEscrowClient({ graphql, clock }: { graphql: GraphqlClient; clock: Clock }): EscrowClient {
  const query = async <Name extends QueryName>(
    name: Name,
    variables: Operations[Name]['variables'],
    options?: CallOptions,
  ): Promise<Operations[Name]['result']> => {
    return only(
      await graphql.query({ document: DOCUMENTS[name], variables }, options),
    ) as Operations[Name]['result']
  }
  const mutate = (name: MutationName) => async (input: unknown, options?: MutationOptions) =>
    only(await graphql.mutate({ document: DOCUMENTS[name], variables: { input } }, options))

  async function* subscribe<Name extends SubscriptionName>(
    name: Name,
    variables: Operations[Name]['variables'],
    signal: AbortSignal,
  ): AsyncGenerator<Operations[Name]['result']> {
    for await (const data of graphql.subscribe({ document: DOCUMENTS[name], variables }, signal))
      yield only(data) as Operations[Name]['result']
  }

  const escrow: EscrowClient = {
    ...(Object.fromEntries(MUTATIONS.map((name) => [name, mutate(name)])) as Mutations),
    custodies: (options) => query('custodies', {}, options),
    quote: (payoutMsat, options) => query('quote', { payoutMsat }, options),
    task: (id, options) => query('task', { id }, options),
    changes: async (id, page = {}, options) => (await query('changes', { id, ...page }, options)).changes,
    tasks: (page = {}, options) => query('tasks', page, options),
    watchTask: (id, options = {}) =>
      followUpdates(
        (after, signal) => subscribe('taskUpdated', { id, after }, signal),
        ({ task }) => task.endedAt !== null,
        clock,
        options,
      ),
    watchMilestone: ({ taskId, milestone }, options = {}) =>
      followUpdates(
        (after, signal) => subscribe('milestoneUpdated', { taskId, milestone, after }, signal),
        (update) => update.milestone.endedAt !== null,
        clock,
        options,
      ),
    watchFunding: (watch) => watchFunding({ escrow, clock }, watch),
  }
  return escrow
}

/** Each operation has one root field. */
function only(data: Record<string, unknown>): unknown {
  return Object.values(data)[0]
}
