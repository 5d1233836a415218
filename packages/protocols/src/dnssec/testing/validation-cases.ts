import { ALIASES } from './cases/alias-cases.ts'
import { DENIALS } from './cases/denial-cases.ts'
import { FORGED } from './cases/forged-cases.ts'
import { MISPLACED_DENIALS } from './cases/misplaced-denial-cases.ts'
import { TRANSPORT } from './cases/transport-cases.ts'
import { VALID } from './cases/valid-cases.ts'
import type { ValidationCase } from './crafted-case.ts'

export { NAME, type OtherVerdict, VALUE_TEXT, type ValidationCase, withShop } from './crafted-case.ts'

/** Good and bad zones, each with the one right verdict. */
export const CASES: readonly ValidationCase[] = [
  ...VALID,
  ...ALIASES,
  ...FORGED,
  ...DENIALS,
  ...MISPLACED_DENIALS,
  ...TRANSPORT,
]
