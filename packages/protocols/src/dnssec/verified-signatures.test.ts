import { describe, expect, test, vi } from 'vitest'
import * as algorithms from './algorithms.ts'
import { testKey } from './testing/test-keys.ts'
import { makeVerifiedSignatures } from './verified-signatures.ts'

vi.mock(import('./algorithms.ts'), async (original) => {
  const real = await original()
  return { ...real, verifySignature: vi.fn(real.verifySignature) }
})

const message = Uint8Array.of(1, 2, 3)
const { dnskey, sign } = testKey('p256')
const { algorithm, publicKey } = dnskey
const computed = () => vi.mocked(algorithms.verifySignature).mock.calls.length

describe('signatures that were verified before', () => {
  test('are right again without being computed', () => {
    const { verify } = makeVerifiedSignatures()
    const signature = sign(message)
    const before = computed()
    expect(verify(algorithm, publicKey, message, signature)).toBe('right')
    expect(verify(algorithm, publicKey, message, signature)).toBe('right')
    expect(computed() - before).toBe(1)
  })

  test('say nothing of another message, key or signature', () => {
    const { verify } = makeVerifiedSignatures()
    const signature = sign(message)
    verify(algorithm, publicKey, message, signature)
    expect(verify(algorithm, publicKey, Uint8Array.of(1, 2, 4), signature)).toBe('wrong')
    expect(verify(algorithm, publicKey, message, signature.toReversed())).toBe('wrong')
    expect(verify(algorithm, testKey('p384').dnskey.publicKey, message, signature)).toHaveProperty('unusable')
    expect(verify(15, publicKey, message, signature)).toHaveProperty('unusable')
  })

  test('are remembered only when they were right', () => {
    const { verify } = makeVerifiedSignatures()
    const wrong = sign(Uint8Array.of(9))
    const before = computed()
    expect(verify(algorithm, publicKey, message, wrong)).toBe('wrong')
    expect(verify(algorithm, publicKey, message, wrong)).toBe('wrong')
    expect(computed() - before).toBe(2)
  })

  test('are forgotten when a thousand others were asked for since', () => {
    const { verify } = makeVerifiedSignatures()
    vi.mocked(algorithms.verifySignature).mockImplementation(() => 'right')
    const numbered = (number: number) => new Uint8Array(new Uint32Array([number]).buffer)
    for (let number = 0; number < 1_000; number++) verify(13, publicKey, numbered(number), message)
    verify(13, publicKey, numbered(0), message)
    verify(13, publicKey, numbered(1_000), message)
    const before = computed()
    verify(13, publicKey, numbered(0), message)
    expect(computed() - before).toBe(0)
    verify(13, publicKey, numbered(1), message)
    expect(computed() - before).toBe(1)
  })
})
