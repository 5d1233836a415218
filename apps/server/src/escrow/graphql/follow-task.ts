import { isRefusal, type Refusal, refuse } from '@holdfast/core'
import type { EscrowState } from '@holdfast/core/escrow/escrow-states'
import type { Hex } from '@holdfast/lightning'
import { RefusalError } from '../../platform/http/problem.ts'
import type { EscrowFeed } from './escrow-feed.ts'
import type { Change, Look } from './task-changes.ts'
import type { TaskView } from './task-view.ts'

/** The task as it is now, and what has happened to it since the update before; `resume` leads to the next one. */
export type TaskUpdate = {
  readonly task: TaskView
  readonly changes: readonly Change[]
  readonly resume: string
}

export const MAX_CHANGES = 100
/** So many times as many with the end. */
const MOST_AT_THE_END = 10

export type FollowDeps = {
  readonly feed: Pick<EscrowFeed, 'subscribe'>
  /** Throws RATE_LIMITED or OVERLOADED when too many follow already; answers how to leave. */
  enter(): () => void
  /** Who follows, asked anew before every update: a session may have ended. */
  viewer(): Promise<Hex | null>
  /** The task and what has happened to it, both as they were at one moment. */
  look(page: { after: number; limit: number }): Promise<Look>
  /** Throws ESCROW_NOT_FOUND where it is not for this viewer. */
  show(escrow: EscrowState | null, viewer: Hex | null): TaskView
  last(): Promise<number>
  /** Aborted when the server stops. */
  readonly closing?: AbortSignal | undefined
}

/**
 * Follows a task for ever: at least once, in order. It begins with the task as it is now; with a token, and with
 * whatever has happened since: who had seen the end already learns of it. Ends with a refusal when it may not go on.
 */
export function followTask(
  deps: FollowDeps,
  id: string,
  token: string | null,
): AsyncIterableIterator<TaskUpdate | Refusal> {
  const bell = makeBell(deps.closing)
  const updates = updatesOf(deps, bell, id, token)
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next: () => updates.next(),
    // A generator that waits does not hear its own end.
    return: () => {
      bell.close()
      return updates.return(undefined)
    },
  }
}

async function* updatesOf(
  deps: FollowDeps,
  bell: Bell,
  id: string,
  token: string | null,
): AsyncGenerator<TaskUpdate | Refusal, undefined> {
  const unsubscribe = deps.feed.subscribe(id, bell.ring)
  let leave: (() => void) | null = null
  try {
    leave = deps.enter()
    let seen = await startingPoint(deps, token)
    let isFirst = true
    while (!bell.isClosed()) {
      const [viewer, { escrow, changes }] = await Promise.all([deps.viewer(), lookFrom(deps, seen)])
      seen = changes.at(-1)?.seq ?? seen
      if (isFirst || changes.length > 0)
        yield { task: deps.show(escrow, viewer), changes, resume: tokenOf(seen) }
      isFirst = false
      if (changes.length % MAX_CHANGES !== 0 || changes.length === 0) await bell.rung()
    }
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error
    yield error.refusal
  } finally {
    leave?.()
    unsubscribe()
    bell.close()
  }
}

/**
 * Who follows until the end stops at the update that shows it, so what has led to it belongs to that one; what is more
 * than a thousand changes comes with the next.
 */
async function lookFrom({ look }: FollowDeps, after: number): Promise<Look> {
  let { escrow, changes } = await look({ after, limit: MAX_CHANGES })
  for (let full = 1; changes.length === full * MAX_CHANGES && full < MOST_AT_THE_END; full++) {
    const last = changes.at(-1)
    if (last === undefined || escrow === null || !('endedAt' in escrow)) break
    const next = await look({ after: last.seq, limit: MAX_CHANGES })
    escrow = next.escrow
    changes = [...changes, ...next.changes]
  }
  return { escrow, changes }
}

async function startingPoint({ last }: FollowDeps, token: string | null): Promise<number> {
  const head = await last()
  if (token === null) return head
  const seq = seqOf(token)
  if (isRefusal(seq)) throw new RefusalError(seq)
  if (seq > head) throw new RefusalError(refuse('RESUME_TOKEN_INVALID'))
  return seq
}

/** Opaque to clients. */
function tokenOf(seq: number): string {
  return Buffer.from(`escrow ${seq}`).toString('base64url')
}

function seqOf(token: string): number | Refusal {
  const [, seq] = /^escrow ([0-9]{1,15})$/.exec(Buffer.from(token, 'base64url').toString('latin1')) ?? []
  return seq === undefined ? refuse('RESUME_TOKEN_INVALID') : Number(seq)
}

type Bell = ReturnType<typeof makeBell>

/** Remembers that it rang while nobody waited; closed, it rings for ever. */
function makeBell(closing: AbortSignal | undefined) {
  let hasRung = false
  let isClosed = closing?.aborted ?? false
  let wake: (() => void) | null = null
  const ring = () => {
    hasRung = true
    wake?.()
  }
  const close = () => {
    isClosed = true
    closing?.removeEventListener('abort', close)
    ring()
  }
  closing?.addEventListener('abort', close)
  return {
    ring,
    close,
    isClosed: () => isClosed,
    async rung(): Promise<void> {
      if (!hasRung && !isClosed) await new Promise<void>((resolve) => (wake = resolve))
      wake = null
      hasRung = false
    },
  }
}
