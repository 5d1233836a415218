import { describe, expect, test } from 'vitest'
import { joinCharacterStrings, parseName, recordName, selectInstruction } from '../bip353.ts'
import { recordKey } from '../dnssec/rrset.ts'
import { hexToBytes } from '../hex.ts'
import { decodePsbtProof } from '../psbt-proof.ts'
import { decodeAuthenticationChain } from './authentication-chain.ts'
import { proveResolution } from './prove-resolution.ts'
import { BIP353_PROOFS } from './testing/bip353-proofs.ts'
import { verifyProof } from './verify-proof.ts'

const at = (time: string) => Date.parse(time) / 1000
const AUGUST_6 = at('2025-08-06T18:00:00Z')
const AUGUST_7 = at('2025-08-07T18:00:00Z')

async function verify(which: keyof typeof BIP353_PROOFS, nowSeconds: number, expiryGraceSeconds = 0) {
  const { name, proof } = decodePsbtProof(hexToBytes(BIP353_PROOFS[which]))
  const verified = await verifyProof(proof, recordName(parseName(name)), { nowSeconds, expiryGraceSeconds })
  return { name, ...verified }
}

async function instruction(which: keyof typeof BIP353_PROOFS, nowSeconds: number) {
  const { resolution } = await verify(which, nowSeconds)
  if (resolution.status !== 'secure') throw new Error(JSON.stringify(resolution))
  return selectInstruction(resolution.values.map((value) => joinCharacterStrings([value])))
}

describe('the proofs printed in BIP-353, against the real root’s anchors', () => {
  test('simple@…: the address, beside a TXT that is no instruction', async () => {
    const { name, resolution, window } = await verify('simple', AUGUST_7)
    expect(name).toBe('simple@dnssec_proof_tests.bitcoin.ninja')
    expect(resolution).toMatchObject({ status: 'secure', ttlSeconds: 30, expiresAt: AUGUST_7 + 30 })
    expect(window).toEqual({ notBefore: at('2025-08-07T10:35:18Z'), notAfter: at('2025-08-10T16:22:12Z') })
    expect(await instruction('simple', AUGUST_7)).toEqual({
      uri: 'bitcoin:?bc=bc1qztwy6xen3zdtt7z0vrgapmjtfz8acjkfp5fp7l',
    })
  })

  test('override…@…: an upper-case URI beside a wildcard', async () => {
    expect(await instruction('override', AUGUST_6)).toEqual({
      uri: 'BITCOIN:?BC=BC1QYYQ734DCNHHCWYW8YJXSWXG4P7K9NXU0QT84QZ',
    })
  })

  test('a.…@…: a wildcard CNAME with NSEC3 into another zone, the records in no order', async () => {
    const { uri } = (await instruction('alias', AUGUST_6)) as { uri: string }
    expect(uri).toMatch(/^bitcoin:bc1qztwy6xen3zdtt7z0vrgapmjtfz8acjkfp5fp7l\?lno=lno1zr5qyugq[a-z0-9]+$/)
    expect((await verify('alias', AUGUST_6)).resolution).toMatchObject({ ttlSeconds: 30 })
  })

  test('invalid@…: a valid proof of two instructions, which BIP-353 refuses', async () => {
    expect(await instruction('twoInstructions', AUGUST_7)).toEqual({ problem: 'ambiguous' })
  })

  test('the proof without the NSEC3 is refused', async () => {
    const { resolution } = await verify('missingDenial', AUGUST_6)
    expect(resolution).toMatchObject({ status: 'bogus', code: 'denial-missing' })
  })

  test.each([
    ['simple', '2025-08-07T10:35:18Z', '2025-08-10T16:22:12Z'],
    ['override', '2025-08-06T11:22:43Z', '2025-08-10T16:22:12Z'],
    ['alias', '2025-08-06T06:20:50Z', '2025-08-10T16:22:12Z'],
  ] as const)(
    '%s is valid from %s to %s, both included, and at no other time',
    async (which, first, last) => {
      const status = async (nowSeconds: number, grace = 0) => {
        const { resolution } = await verify(which, nowSeconds, grace)
        return resolution.status === 'bogus' ? resolution.code : resolution.status
      }
      expect(await status(at(first))).toBe('secure')
      expect(await status(at(first) - 1)).toBe('signature-not-yet-valid')
      expect(await status(at(last))).toBe('secure')
      expect(await status(at(last) + 1)).toBe('signature-expired')
      expect(await status(at(last) + 3600, 3600)).toBe('secure')
      expect(await status(at(last) + 3601, 3600)).toBe('signature-expired')
      expect(await status(at('2019-01-01T00:00:00Z'))).toBe('signature-not-yet-valid')
      expect(await status(at('2026-11-21T00:00:00Z'))).toBe('signature-expired')
    },
  )

  test.each(['simple', 'override', 'alias'] as const)(
    'what we build of %s holds the same records as what is printed',
    async (which) => {
      const { name, proof } = decodePsbtProof(hexToBytes(BIP353_PROOFS[which]))
      const record = recordName(parseName(name))
      const options = { nowSeconds: AUGUST_7 }
      const { resolution } = await verifyProof(proof, record, options)
      const ours = await proveResolution(record, resolution, options)
      const keysOf = (chain: Uint8Array) => decodeAuthenticationChain(chain).map(recordKey)
      expect(keysOf(ours!.proof).sort()).toEqual(keysOf(proof).sort())
      expect(ours!.proof).toHaveLength(proof.length)
    },
  )

  test('a proof proves nothing about another name', async () => {
    const { proof } = decodePsbtProof(hexToBytes(BIP353_PROOFS.simple))
    const name = 'other.user._bitcoin-payment.dnssec_proof_tests.bitcoin.ninja'
    const { resolution } = await verifyProof(proof, name, { nowSeconds: AUGUST_7 })
    expect(resolution).toMatchObject({ status: 'bogus', code: 'denial-missing' })
  })
})
