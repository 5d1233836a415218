import { BIP353_PROOFS } from '@holdfast/protocols/rfc9102/testing/bip353-proofs'

/** What the proofs printed in BIP-353 give at some times: the URI's beginning, or the problem. */
export const PUBLISHED_CASES = [
  { proof: BIP353_PROOFS.simple, at: '2025-08-07T18:00:00Z', expected: 'bitcoin:?bc=bc1qztwy6xen3zdtt7z0vr' },
  { proof: BIP353_PROOFS.simple, at: '2025-08-07T10:00:00Z', expected: 'signature-not-yet-valid' },
  { proof: BIP353_PROOFS.simple, at: '2025-08-11T00:00:00Z', expected: 'signature-expired' },
  {
    proof: BIP353_PROOFS.override,
    at: '2025-08-06T18:00:00Z',
    expected: 'BITCOIN:?BC=BC1QYYQ734DCNHHCWYW8YJX',
  },
  {
    proof: BIP353_PROOFS.alias,
    at: '2025-08-06T18:00:00Z',
    expected: 'bitcoin:bc1qztwy6xen3zdtt7z0vrgapmjtfz',
  },
  { proof: BIP353_PROOFS.twoInstructions, at: '2025-08-07T18:00:00Z', expected: 'ambiguous' },
  { proof: BIP353_PROOFS.missingDenial, at: '2025-08-06T18:00:00Z', expected: 'denial-missing' },
] as const
