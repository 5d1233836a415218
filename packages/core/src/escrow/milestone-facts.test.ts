import { expect, test } from 'vitest'
import { marksWorker } from './milestone-facts.ts'
import { MILESTONE_PHASES } from './milestone-states.ts'
import { only, reach } from './testing/escrow-story.ts'

test('a worker is marked by a premature settlement, to its end and beyond, and by nothing else', () => {
  const marked = MILESTONE_PHASES.filter((phase) => marksWorker(only(reach(phase))))
  expect(marked).toEqual(['premature', 'repaying', 'repaid'])
})

test('nobody is marked where the operator’s node knows the preimage', () => {
  for (const phase of ['premature', 'repaying', 'repaid'] as const)
    expect(marksWorker(only(reach(phase, 'coordinated')))).toBe(false)
})
