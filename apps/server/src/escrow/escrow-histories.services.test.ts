import { expect, test } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import { runHistories, USUAL_ENDS } from './testing/run-history.ts'

const databases = [withDatabase(), withDatabase(), withDatabase()]

/** The lives of ten thousand escrows, five side by side in each history. The node is simulated; `escrow-on-nodes.test.ts` has real ones. */
test('whatever happens, in the tables as at the node: the phase is where the money is, and the journal tells how', async () => {
  const ends = await runHistories(databases, { escrows: 10_000, seed: Date.now() % 2 ** 31 })
  console.log([...ends].map(([phase, times]) => `${phase} ${times}`).join(', '))
  expect([...ends.keys()]).toEqual(expect.arrayContaining([...USUAL_ENDS]))
}, 3_600_000)
