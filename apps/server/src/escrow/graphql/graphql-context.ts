import { refuse } from '@holdfast/core'
import type { Hex } from '@holdfast/lightning'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Identity } from '../../identity/identity.ts'
import type { OpenDatabase } from '../../platform/database.ts'
import { RefusalError } from '../../platform/http/problem.ts'
import { addressKey } from '../../platform/http/rate-limiter.ts'
import type { EscrowSlice } from '../escrow-slice.ts'
import { countPrematureSettlements } from '../escrow-store.ts'
import { readTask, shown } from './ask-task.ts'
import { askTogether } from './ask-together.ts'
import type { EscrowContext } from './builder.ts'
import type { EscrowFeed } from './escrow-feed.ts'
import { type FollowDeps, followTask } from './follow-task.ts'
import { type Seats, takeEach } from './seats.ts'
import { lastChange, lookAt, readChanges } from './task-changes.ts'

export type ContextDeps = {
  readonly identity: Pick<Identity, 'authenticate' | 'perform' | 'ownerOfToken'>
  readonly database: Pick<OpenDatabase, 'db'>
  readonly escrows: EscrowContext['escrows'] & Pick<EscrowSlice, 'moment' | 'clock'>
  readonly feed: Pick<EscrowFeed, 'subscribe'>
  /** Of those who follow: by key, or by address where none is named; and by address, because keys cost nothing. */
  readonly seats: { readonly byKey: Seats; readonly byAddress: Seats }
  /** Aborted when the server stops: subscriptions end. */
  readonly closing?: AbortSignal
}

/** Of a request over HTTP. */
export function httpContext(deps: ContextDeps, request: FastifyRequest, reply: FastifyReply): EscrowContext {
  const { identity } = deps
  const token = tokenOf(request.headers.authorization)
  const isSigned = request.headers.authorization !== undefined
  // An event is spent by being read.
  const viewer = once(async () => (isSigned ? identity.authenticate(request) : null))
  return contextOf(deps, request, {
    viewer,
    viewerNow: token === null ? viewer : () => ownerNow(identity, token),
    async perform(steps) {
      const performed = await identity.perform(request, steps)
      if (performed.replayed) reply.header('idempotency-replayed', 'true')
      return performed
    },
  })
}

/** Of one subscription over a WebSocket, whose first message named the token, or none. */
export function socketContext(
  deps: ContextDeps,
  request: FastifyRequest,
  token: string | null,
): EscrowContext {
  const viewer = async () => (token === null ? null : ownerNow(deps.identity, token))
  return contextOf(deps, request, {
    viewer,
    viewerNow: viewer,
    perform: () => Promise.reject(new Error('A WebSocket carries subscriptions only.')),
  })
}

function contextOf(
  { escrows, database, feed, seats, closing }: ContextDeps,
  request: FastifyRequest,
  who: Pick<EscrowContext, 'viewer' | 'perform'> & { viewerNow(): Promise<Hex | null> },
): EscrowContext {
  const { viewer, perform, viewerNow } = who
  const { db } = database
  const askHeight = () => once(() => heightOrNull(escrows))
  let height = askHeight()
  const countPremature = askTogether((workers: readonly Hex[]) => countPrematureSettlements(db, workers))
  return {
    escrows,
    viewer,
    perform,
    now: () => escrows.clock(),
    height: () => height(),
    changes: (id, page) => readChanges(db, id, page),
    prematureSettlements: async (worker) => (await countPremature(worker)) ?? 0,
    async follow(id, after) {
      const follower = await viewer()
      const address = addressKey(request.ip)
      await readTask({ escrows }, id, follower)
      const deps: FollowDeps = {
        feed,
        enter: () =>
          takeEach([() => seats.byAddress.take(address), () => seats.byKey.take(follower ?? address)]),
        viewer: viewerNow,
        look: (page) => lookAt(db, id, page),
        show(escrow, reader) {
          height = askHeight()
          return shown(escrow, reader)
        },
        last: () => lastChange(db, id),
        closing,
      }
      return followTask(deps, id, after)
    },
  }
}

/** What is written down can be read whether or not the node answers. */
async function heightOrNull(escrows: Pick<EscrowSlice, 'moment'>): Promise<number | null> {
  try {
    return (await escrows.moment()).height
  } catch (error) {
    if (error instanceof RefusalError && error.refusal.refused === 'NODE_OFFLINE') return null
    throw error
  }
}

async function ownerNow(identity: Pick<Identity, 'ownerOfToken'>, token: string): Promise<Hex> {
  const owner = await identity.ownerOfToken(token)
  if (owner === null) throw new RefusalError(refuse('SESSION_INVALID'))
  return owner
}

function tokenOf(authorization: string | undefined): string | null {
  return /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? null
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  return () => {
    answer ??= ask()
    return answer
  }
}
