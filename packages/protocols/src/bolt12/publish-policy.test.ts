import { expect, test } from 'vitest'
import { chainHashOf } from '../network.ts'
import { publicKey } from '../testing/points.ts'
import { encodeOffer } from './encode-offer.ts'
import type { OfferFields } from './offer.ts'
import { checkPublishable, type PublishPolicy, type PublishProblem } from './publish-policy.ts'

const NOW = 1_800_000_000_000
const POLICY: PublishPolicy = {
  now: NOW,
  chainHash: chainHashOf('regtest'),
  marginMs: 60_000,
  maxLength: 1000,
}
const GOOD: OfferFields = { chains: [chainHashOf('regtest')], issuerId: publicKey(1) }
const seconds = (ms: number) => BigInt(ms / 1000)
const PATH = {
  introductionNode: { nodeId: publicKey(1) },
  pathKey: publicKey(2),
  hops: [{ blindedNodeId: publicKey(3), encryptedData: '' }],
}

test.each<[string, Partial<OfferFields>, Partial<PublishPolicy>]>([
  ['without expiry', {}, {}],
  ['good for longer than the margin', { absoluteExpirySeconds: seconds(NOW + 61_000) }, {}],
  ['of one of several chains', { chains: [chainHashOf('bitcoin'), chainHashOf('regtest')] }, {}],
  ['with an amount', { amount: { msat: 1n }, description: '' }, {}],
  ['of an unannounced node, with paths', { paths: [PATH] }, { nodeIsUnannounced: true }],
])('an offer %s may be published', (_, fields, policy) => {
  expect(checkPublishable(encodeOffer({ ...GOOD, ...fields }), { ...POLICY, ...policy })).toEqual([])
})

test.each<[PublishProblem, Partial<OfferFields>, Partial<PublishPolicy>]>([
  ['foreign-chain', { chains: [chainHashOf('signet')] }, {}],
  ['foreign-chain', {}, { chainHash: chainHashOf('bitcoin') }],
  ['expires-too-soon', { absoluteExpirySeconds: seconds(NOW + 60_000) }, {}],
  ['expires-too-soon', { absoluteExpirySeconds: 0n }, {}],
  ['priced-in-currency', { amount: { currency: 'USD', minorUnits: 1n }, description: '' }, {}],
  ['amount-above-supply', { amount: { msat: 2_100_000_000_000_000_001n }, description: '' }, {}],
  ['too-long', { metadata: '00'.repeat(600) }, {}],
  ['needs-paths', {}, { nodeIsUnannounced: true }],
  ['single-use', {}, { singleUse: true }],
])('%s is a reason not to publish', (problem, fields, policy) => {
  expect(checkPublishable(encodeOffer({ ...GOOD, ...fields }), { ...POLICY, ...policy })).toEqual([problem])
})

test('all reasons are told at once', () => {
  const offer = encodeOffer({ issuerId: publicKey(1), absoluteExpirySeconds: 1n })
  expect(checkPublishable(offer, { ...POLICY, singleUse: true })).toEqual([
    'foreign-chain',
    'expires-too-soon',
    'single-use',
  ])
})
