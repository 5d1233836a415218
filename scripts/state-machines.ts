// npm run state-machines: writes docs/state-machines from what the machines in packages/core answer.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stateMachinePage } from '../packages/core/src/escrow/testing/state-machine-page.ts'

const folder = join(import.meta.dirname, '../docs/state-machines')
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'escrow.md'), stateMachinePage())
