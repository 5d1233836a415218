import type { Catalogue } from './catalogue.ts'

/** What the DNS says of a name, and its proof. */
export const RESOLVE_REFUSALS = {
  RESOLVE_NO_SUCH_NAME: {
    status: 404,
    title: 'The DNS proves that there is no such name.',
    hint: 'Check the spelling.',
  },
  RESOLVE_UNSIGNED: {
    status: 422,
    title: 'The zone of this name is not signed with DNSSEC.',
    hint: 'Its owner must sign the zone; until then it cannot be trusted.',
  },
  RESOLVE_BOGUS: {
    status: 422,
    title: 'The DNSSEC signatures of this name are wrong.',
    hint: 'Do not pay. Its owner must mend the zone.',
  },
  RESOLVE_AMBIGUOUS: {
    status: 422,
    title: 'The name holds more than one payment instruction.',
    hint: 'Its owner must leave exactly one bitcoin: record.',
  },
  RESOLVE_NO_INSTRUCTION: {
    status: 404,
    title: 'The name exists but holds no payment instruction.',
    hint: 'Its owner must publish a bitcoin: record.',
  },
  PROOF_TOO_LARGE: {
    status: 422,
    title: 'The records of this name do not fit a proof of 65,535 bytes.',
    hint: 'Its owner must publish fewer or shorter TXT records.',
  },
} as const satisfies Catalogue
