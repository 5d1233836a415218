import { describe, expect, test } from 'vitest'
import type { VerifySignature } from '../algorithms.ts'
import { type TestAlgorithm, testKey } from './test-keys.ts'

const hex = (text: string) => Uint8Array.from(text.match(/[0-9a-f]{2}/gi) ?? [], (pair) => parseInt(pair, 16))
const message = hex('00')
/** 1024 bits, odd. */
const MODULUS = `c0${'00'.repeat(126)}01`
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

const bytesOf = (value: bigint, length: number) => hex(value.toString(16).padStart(2 * length, '0'))
const numberOf = (bytes: Uint8Array) => BigInt(`0x${Array.from(bytes, twoDigits).join('')}`)
const twoDigits = (byte: number) => byte.toString(16).padStart(2, '0')

/** What everything that is injected as `verifySignature` must judge in the same way. */
export function verifySignatureContract(title: string, verify: VerifySignature): void {
  describe(`${title} verifies signatures strictly`, () => {
    test.each([
      ['an algorithm that we do not verify', 5, '00'.repeat(64)],
      ['an unassigned algorithm', 200, '00'.repeat(64)],
      ['a P-256 point that is not on the curve', 13, '01'.repeat(64)],
      ['the P-256 point at infinity', 13, '00'.repeat(64)],
      ['a P-256 key of 63 bytes', 13, '00'.repeat(63)],
      ['a P-384 point that is not on the curve', 14, '01'.repeat(96)],
      ['an Ed25519 key of 31 bytes', 15, '00'.repeat(31)],
      ['an RSA key of no bytes', 8, ''],
      ['an RSA key with a cut exponent', 8, '05 0100'],
      ['an RSA exponent with leading zeros', 8, `02 0003 ${MODULUS}`],
      ['an RSA modulus with leading zeros', 8, `01 03 00${MODULUS}`],
      ['an even RSA exponent', 8, `01 04 ${MODULUS}`],
      ['RSA exponent 1', 8, `01 01 ${MODULUS}`],
      ['an even RSA modulus', 8, `01 03 c0${'00'.repeat(127)}`],
      ['an RSA exponent of 36 bits', 8, `05 0f00000001 ${MODULUS}`],
      ['an RSA exponent of 48 bits', 8, `06 010000000001 ${MODULUS}`],
      ['RSA of 1023 bits', 8, `01 03 40${'00'.repeat(126)}01`],
      ['RSA of 4104 bits', 8, `01 03 c0${'00'.repeat(511)}01`],
    ])('%s is unusable', (_, algorithm, publicKey) => {
      expect(verify(algorithm, hex(publicKey), message, new Uint8Array(64))).toHaveProperty('unusable')
    })

    test.each<TestAlgorithm>(['p256', 'p384', 'ed25519', 'rsa-2048', 'rsa-1024'])('%s', (name) => {
      const { dnskey, sign } = testKey(name)
      const judge = (signature: Uint8Array, said = message) =>
        verify(dnskey.algorithm, dnskey.publicKey, said, signature)
      const right = sign(message)
      expect(judge(right)).toBe('right')
      expect(judge(right, hex('01'))).toBe('wrong')
      expect(judge(right.slice(1))).toBe('wrong')
      expect(judge(Uint8Array.of(0, ...right))).toBe('wrong')
      expect(judge(Uint8Array.of(...right, 0))).toBe('wrong')
      expect(judge(new Uint8Array())).toBe('wrong')
      expect(judge(new Uint8Array(right.length))).toBe('wrong')
      expect(judge(new Uint8Array(right.length).fill(0xff))).toBe('wrong')
      for (const at of [0, right.length - 1]) {
        const changed = Uint8Array.from(right)
        changed[at]! ^= 1
        expect(judge(changed)).toBe('wrong')
      }
    })

    test('RSA: the same padding with SHA-1 or without a digest’s name is wrong', () => {
      const { dnskey } = testKey('rsa-2048')
      const signature = testKey('rsa-sha1').sign(message)
      expect(verify(8, dnskey.publicKey, message, signature)).toBe('wrong')
    })

    test('ECDSA: a high s is as good as a low one, r and s above the order are not', () => {
      const { dnskey, sign } = testKey('p256')
      const right = sign(message)
      const [r, s] = [right.slice(0, 32), numberOf(right.slice(32))]
      const judge = (...parts: Uint8Array[]) =>
        verify(13, dnskey.publicKey, message, Uint8Array.from(parts.flatMap((part) => [...part])))
      expect(judge(r, bytesOf(P256_ORDER - s, 32))).toBe('right')
      expect(judge(r, bytesOf(0n, 32))).toBe('wrong')
      expect(judge(bytesOf(0n, 32), bytesOf(s, 32))).toBe('wrong')
      expect(judge(r, bytesOf(P256_ORDER, 32))).toBe('wrong')
    })

    test('Ed25519: S above the order is wrong (RFC 8032 §5.1.7)', () => {
      const { dnskey, sign } = testKey('ed25519')
      const right = sign(message)
      const s = numberOf(right.slice(32).toReversed()) + ED25519_ORDER
      const malleable = Uint8Array.from([...right.slice(0, 32), ...bytesOf(s, 32).toReversed()])
      expect(verify(15, dnskey.publicKey, message, malleable)).toBe('wrong')
    })
  })
}
