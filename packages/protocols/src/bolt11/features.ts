import { Bolt11Error } from './error.ts'

const PAYMENT_SECRET = 14
const BASIC_MPP = 16

/**
 * The even bits of the features that BOLT 9 allows in an invoice: var_onion_optin, payment_secret, basic_mpp,
 * option_route_blinding, option_attribution_data, option_payment_metadata.
 */
const KNOWN = new Set([8, PAYMENT_SECRET, BASIC_MPP, 24, 36, 48])

/** The bits set in field `9`, ascending. Refuses what a payer must refuse (BOLT 11, "Feature Bits"). */
export function readFeatures(words: Uint8Array): number[] {
  const bits: number[] = []
  for (let bit = 0; bit < words.length * 5; bit++) {
    const word = words[words.length - 1 - Math.floor(bit / 5)]!
    if ((word & (1 << (bit % 5))) !== 0) bits.push(bit)
  }
  const unknown = bits.find((bit) => bit % 2 === 0 && !KNOWN.has(bit))
  // "if the 9 field contains unknown even bits that are non-zero: MUST fail the payment".
  if (unknown !== undefined) {
    throw new Bolt11Error('unknown-even-feature', `feature ${unknown} is unknown and must be understood`)
  }
  const offers = (feature: number) => bits.includes(feature) || bits.includes(feature + 1)
  // BOLT 9: basic_mpp depends on payment_secret. "if the feature vector does not set all known, transitive feature
  // dependencies: MUST NOT attempt the payment".
  if (offers(BASIC_MPP) && !offers(PAYMENT_SECRET)) {
    throw new Bolt11Error('missing-feature-dependency', 'basic_mpp is set without payment_secret')
  }
  return bits
}
