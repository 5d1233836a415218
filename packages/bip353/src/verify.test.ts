import { hexToBytes } from '@holdfast/protocols/hex'
import { describe, expect, test } from 'vitest'
import { PUBLISHED_CASES } from './testing/published-cases.ts'
import { verifyNameProof, verifyPsbtProof } from './verify.ts'

describe('the value of a PSBT field', () => {
  test.each(PUBLISHED_CASES)('gives $expected at $at', async ({ proof, at, expected }) => {
    const verified = await verifyPsbtProof(hexToBytes(proof), { at: new Date(at) })
    expect(verified.valid ? verified.uri : verified.code).toContain(expected)
  })

  test('that has not its form is the caller’s mistake', async () => {
    await expect(verifyPsbtProof(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ name: 'PsbtProofError' })
  })

  test('of the past is not valid now, unless it is told to be', async () => {
    const value = hexToBytes(PUBLISHED_CASES[0].proof)
    expect(await verifyPsbtProof(value)).toMatchObject({ valid: false, code: 'signature-expired' })
    const late = { at: new Date('2025-08-10T17:00:00Z'), expiryGraceSeconds: 3600 }
    expect(await verifyPsbtProof(value, late)).toMatchObject({ valid: true, ttlSeconds: 0 })
  })
})

test('who injects a verifier is asked for every signature', async () => {
  const value = hexToBytes(PUBLISHED_CASES[0].proof)
  const proof = value.subarray(1 + value[0]!)
  const options = { at: new Date('2025-08-07T18:00:00Z'), verifySignature: () => 'wrong' as const }
  const verified = await verifyNameProof('simple@dnssec_proof_tests.bitcoin.ninja', proof, options)
  expect(verified).toMatchObject({ valid: false, code: 'signature-wrong' })
})
