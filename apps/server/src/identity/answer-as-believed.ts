import { isRefusal } from '@holdfast/core'
import { RefusalError } from '../platform/http/problem.ts'
import { within } from '../platform/within.ts'
import type { AnswerDeps, Answered } from './answer-once.ts'
import {
  type Asker,
  isNotNew,
  type KeyedRequest,
  type Proven,
  type StoredAnswer,
  storingIfNew,
} from './idempotency.ts'
import type { PreparedWork } from './identity.ts'
import { authorizedBy } from './signed-requests.ts'

const PREPARED_WITHIN_MS = 1_000

/**
 * `answerOnce` in a round trip less: the work is done on the belief that `proven` asks, and that the request was not
 * answered before. What keeps its answer confirms both, waiting for nobody, or undoes everything. Null: nothing was kept,
 * and it has to be asked who asks.
 */
export async function answerAsBelieved<Ready>(
  { transact, clock }: Pick<AnswerDeps, 'transact' | 'clock'>,
  asker: Asker,
  { owner, authority }: Proven,
  { requestId, ...asked }: KeyedRequest & { requestId: string },
  { prepare, work }: Pick<PreparedWork<Ready, StoredAnswer>, 'prepare' | 'work'>,
): Promise<Answered | null> {
  const token = 'owner' in asker ? null : asker.tokenSha256
  // What goes wrong, or takes its time, is told to who is known to ask; and who was answered before need not wait.
  const ready = await within(PREPARED_WITHIN_MS, prepare(owner)).catch(() => null)
  if (ready === null || isRefusal(ready)) return null
  try {
    return await transact(async (tx) => {
      const now = clock()
      const believing = { ...authorizedBy(tx, authority, { requestId, now }), mayBelieve: true }
      const answer = await work(believing, owner, ready)
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
