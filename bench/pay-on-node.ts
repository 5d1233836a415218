import { randomBytes } from 'node:crypto'
import type { LightningNode, PayRequest } from '@holdfast/lightning'

const TIMEOUT_MS = 60_000
const WAIT_MS = 10_000

export type NodePayer = {
  /** Before a payment that is timed: reads what the node has told of earlier ones. */
  catchUp(): Promise<void>
  /** Resolves when the node tells that the payment has succeeded. */
  pay(request: Omit<PayRequest, 'paymentId' | 'timeoutMs'>): Promise<void>
}

/** Pays straight on a node and hears of the end as early as a program beside it can: from the node's events. */
export function makeNodePayer({ payer, events }: Pick<LightningNode, 'payer' | 'events'>): NodePayer {
  if (!payer || !events) throw new Error('The node cannot pay or does not tell its events.')
  let cursor = 0
  const read = async (waitMs: number) => {
    const news = await events.since(cursor, { waitMs })
    cursor = news.at(-1)?.cursor ?? cursor
    return news
  }
  return {
    async catchUp() {
      while ((await read(0)).length > 0);
    },
    async pay(request) {
      const paymentId = randomBytes(32).toString('hex')
      await payer.pay({ ...request, paymentId, timeoutMs: TIMEOUT_MS })
      for (const until = performance.now() + TIMEOUT_MS; performance.now() < until; ) {
        for (const event of await read(WAIT_MS)) {
          if (!('paymentId' in event) || event.paymentId !== paymentId) continue
          if (event.kind === 'payment-succeeded') return
          if (event.kind === 'payment-failed') throw new Error(`The payment failed: ${event.reason}.`)
        }
      }
      throw new Error(`The payment had not ended after ${TIMEOUT_MS} ms.`)
    },
  }
}
