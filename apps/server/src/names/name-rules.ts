/** What an operator may set. */
export type NameRules = {
  /** A registration or change that has not ended by then is undone. */
  deadlineMs: number
  maxNamesPerOwner: number
  /** For so long after its end only its last owner may claim a name again. */
  quarantineMs: number
  /** How long a proposed transfer can be accepted. */
  transferMs: number
  /** In addition to the words that are always reserved. */
  reservedWords: readonly string[]
}

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

export const DEFAULT_RULES: NameRules = {
  deadlineMs: 10 * MINUTE_MS,
  maxNamesPerOwner: 1_000,
  quarantineMs: 30 * DAY_MS,
  transferMs: 7 * DAY_MS,
  reservedWords: [],
}
