import { expect, test } from 'vitest'
import { stateMachinePage } from './testing/state-machine-page.ts'

test('docs/state-machines/escrow.md says what the machine does; else run `npm run state-machines`', async () => {
  await expect(stateMachinePage()).toMatchFileSnapshot('../../../../docs/state-machines/escrow.md')
})
