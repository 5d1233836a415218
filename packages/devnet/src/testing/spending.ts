import type { Sign } from './spender.ts'

/** An output, how it is spent, and whether it may. */
export type Spending = {
  readonly rule: string
  readonly script: Buffer
  witness(sign: Sign): Uint8Array[]
  readonly sequence?: number
  readonly lockTime?: number
  /** Blocks on top of the one that holds the output. */
  readonly age?: number
  /** Absent: the spend is accepted. */
  readonly refusal?: RegExp
}

/** What a chain says to a script that does not run as it must. */
export const SCRIPT_REFUSED = /script-verify-flag/
