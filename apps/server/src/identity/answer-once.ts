import { isRefusal, type Refusal } from '@holdfast/core'
import type { Hex } from '@holdfast/lightning'
import { RefusalError } from '../platform/http/problem.ts'
import type { Transact, Transaction } from '../platform/transaction.ts'
import {
  type Asker,
  claim,
  isFinal,
  type KeyedRequest,
  type Proven,
  type StoredAnswer,
  storing,
} from './idempotency.ts'
import type { SeenSessions } from './seen-sessions.ts'
import { authorizedBy } from './signed-requests.ts'

export type AnswerDeps = {
  transact: Transact
  /** Milliseconds since 1970. */
  clock: () => number
  /** Learns whose sessions there are. */
  seen: Pick<SeenSessions, 'learn'>
  /** Counts the request; throws when there were too many. */
  admit: (owner: Hex) => Promise<void>
}

export type Answered = { owner: Hex; answer: StoredAnswer | Refusal; replayed: boolean }

/**
 * The answer stored under the key, or else the one that `work` gives. A success is stored in the transaction of the
 * work. A refusal undoes that transaction whole; it is stored in one of its own, unless it may turn out otherwise.
 * Between the two the key is free: when the same request has got another answer meanwhile, that one stands. What the
 * work appends to the journal says which signed event authorized it.
 */
export async function answerOnce(
  deps: AnswerDeps,
  asker: Asker,
  { requestId, ...asked }: KeyedRequest & { requestId: string },
  work: (tx: Transaction, owner: Hex) => Promise<StoredAnswer | Refusal>,
): Promise<Answered> {
  const { transact, clock, admit, seen } = deps
  try {
    return await transact(async (tx) => {
      const now = clock()
      const claimed = await claim(tx.db, asker, asked, now)
      if (claimed.owner !== null) await admit(claimed.owner)
      if (claimed.state === 'declined') throw new RefusalError(claimed.refusal)
      const { owner } = claimed
      if (claimed.state === 'stored') return { owner, answer: claimed.answer, replayed: true }
      const { authority } = claimed
      seen.learn(asker, claimed)
      const answer = await refusedToo(work(authorizedBy(tx, authority, { requestId, now }), owner))
      if (isRefusal(answer)) throw new WorkRefused({ owner, authority }, answer)
      tx.writeLast(storing({ owner, ...asked }, answer, now))
      return { owner, answer, replayed: false }
    })
  } catch (error) {
    if (!(error instanceof WorkRefused)) throw error
    return isFinal(error.refusal)
      ? storeRefusal(deps, error, asked)
      : { owner: error.proven.owner, answer: error.refusal, replayed: false }
  }
}

async function storeRefusal(
  { transact, clock }: AnswerDeps,
  { proven, refusal }: WorkRefused,
  asked: KeyedRequest,
): Promise<Answered> {
  const { owner } = proven
  return transact(async (tx) => {
    const now = clock()
    const claimed = await claim(tx.db, proven, asked, now)
    if (claimed.state === 'declined') throw new RefusalError(claimed.refusal)
    if (claimed.state === 'stored') return { owner, answer: claimed.answer, replayed: true }
    tx.writeLast(storing({ owner, ...asked }, refusal, now))
    return { owner, answer: refusal, replayed: false }
  })
}

/** Thrown so that the transaction of the work is rolled back. */
class WorkRefused extends Error {
  override readonly name = 'WorkRefused'
  readonly proven: Proven
  readonly refusal: Refusal
  constructor(proven: Proven, refusal: Refusal) {
    super(`The work was refused: ${refusal.refused}`)
    this.proven = proven
    this.refusal = refusal
  }
}

async function refusedToo<T>(result: Promise<T | Refusal>): Promise<T | Refusal> {
  try {
    return await result
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal
    throw error
  }
}
