import { describe, expect, test, vi } from 'vitest'
import { verifySignature } from './algorithms.ts'
import { testKey } from './testing/test-keys.ts'
import { makeVerifiedSignatures } from './verified-signatures.ts'

const message = Uint8Array.of(1, 2, 3)
const { dnskey, sign } = testKey('p256')
const { algorithm, publicKey } = dnskey

function counted() {
  const compute = vi.fn(verifySignature)
  return { compute, ...makeVerifiedSignatures(compute) }
}

describe('signatures that were verified before', () => {
  test('are right again without being computed', () => {
    const { verify, compute } = counted()
    const signature = sign(message)
    expect(verify(algorithm, publicKey, message, signature)).toBe('right')
    expect(verify(algorithm, publicKey, message, signature)).toBe('right')
    expect(compute).toHaveBeenCalledTimes(1)
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
    const { verify, compute } = counted()
    const wrong = sign(Uint8Array.of(9))
    expect(verify(algorithm, publicKey, message, wrong)).toBe('wrong')
    expect(verify(algorithm, publicKey, message, wrong)).toBe('wrong')
    expect(compute).toHaveBeenCalledTimes(2)
  })

  test('are forgotten when a thousand others were asked for since', () => {
    const compute = vi.fn(() => 'right' as const)
    const { verify } = makeVerifiedSignatures(compute)
    const numbered = (number: number) => new Uint8Array(new Uint32Array([number]).buffer)
    for (let number = 0; number < 1_000; number++) verify(13, publicKey, numbered(number), message)
    verify(13, publicKey, numbered(0), message)
    verify(13, publicKey, numbered(1_000), message)
    compute.mockClear()
    verify(13, publicKey, numbered(0), message)
    expect(compute).not.toHaveBeenCalled()
    verify(13, publicKey, numbered(1), message)
    expect(compute).toHaveBeenCalledTimes(1)
  })
})
