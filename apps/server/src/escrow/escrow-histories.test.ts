import { expect, test } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import { runHistories, USUAL_ENDS } from './testing/run-history.ts'

const databases = [withDatabase(), withDatabase(), withDatabase()]

/** A sample of two hundred lives; `escrow-histories.services.test.ts` has ten thousand. The node is simulated. */
test('whatever happens, in the tables as at the node: the phase is where the money is, and the journal tells how', async () => {
  const ends = await runHistories(databases, { escrows: 200, seed: 353 })
  expect([...ends.keys()]).toEqual(expect.arrayContaining([...USUAL_ENDS]))
}, 300_000)
