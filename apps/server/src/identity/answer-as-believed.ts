import { isRefusal, type Refusal } from '@holdfast/core'
import { RefusalError } from '../platform/http/problem.ts'
import type { Transaction } from '../platform/transaction.ts'
import type { AnswerDeps, Answered } from './answer-once.ts'
import {
  type Asker,
  isNotNew,
  type KeyedRequest,
  type Proven,
  type StoredAnswer,
  storingIfNew,
} from './idempotency.ts'
import { authorizedBy } from './signed-requests.ts'

/**
 * `answerOnce` in a round trip less: the work is done on the belief that `proven` asks, and that the request was not
 * answered before. What keeps its answer confirms both, waiting for nobody, or undoes everything. Null: nothing was kept,
 * and it has to be asked who asks.
 */
export async function answerAsBelieved(
  { transact, clock }: Pick<AnswerDeps, 'transact' | 'clock'>,
  asker: Asker,
  { owner, authority }: Proven,
  { requestId, ...asked }: KeyedRequest & { requestId: string },
  work: (tx: Transaction) => Promise<StoredAnswer | Refusal>,
): Promise<Answered | null> {
  const now = clock()
  const token = 'owner' in asker ? null : asker.tokenSha256
  try {
    return await transact(async (tx) => {
      const answer = await work({ ...authorizedBy(tx, authority, { requestId, now }), mayBelieve: true })
      if (isRefusal(answer)) throw new RefusalError(answer)
      tx.writeLast(storingIfNew({ owner, ...asked }, answer, now, { token, openedBy: authority.id }))
      return { owner, answer, replayed: false }
    })
  } catch (error) {
    // A refusal is told, and kept, only to who is known to ask.
    if (error instanceof RefusalError || isNotNew(error)) return null
    throw error
  }
}
