import { randomUUID } from 'node:crypto'
import { startDispatch } from '@holdfast/server/platform/dispatch'
import { makeLog } from '@holdfast/server/platform/log'
import { makeTransact } from '@holdfast/server/platform/transaction'
import type { BenchWorld } from './bench-world.ts'
import type { Figure } from './figure.ts'
import { median, percentile } from './statistics.ts'

const WRITERS = 10
const of = 'journal'

/** Ten writers, each in transactions of one entry on entities of its own. */
export async function benchJournal(world: BenchWorld, seconds: number): Promise<Figure[]> {
  const dispatch = startDispatch({ database: world.database, log: makeLog({ level: 'error' }) })
  const transact = makeTransact({ database: world.database, dispatch })
  const took: number[] = []
  const began = performance.now()
  const until = began + seconds * 1000
  const write = async () => {
    while (performance.now() < until) {
      const entityId = randomUUID()
      const started = performance.now()
      await transact(async (tx) => {
        tx.append({
          stream: 'bench',
          entityId,
          kind: 'bench.written',
          data: { amountMsat: '1000' },
          actor: 'system',
        })
      })
      took.push(performance.now() - started)
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, write))
  const elapsed = (performance.now() - began) / 1000
  await dispatch.stop()
  return [
    { of, what: `entries appended, ${WRITERS} writers`, value: took.length / elapsed, unit: '/s' },
    { of, what: 'one append, p50', value: median(took), unit: 'ms' },
    { of, what: 'one append, p99', value: percentile(took, 0.99), unit: 'ms' },
  ]
}
