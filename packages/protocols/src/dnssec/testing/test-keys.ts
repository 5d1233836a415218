import { ed25519 } from '@noble/curves/ed25519.js'
import { p256, p384 } from '@noble/curves/nist.js'
import { sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha384 } from '@noble/hashes/sha2.js'
import type { Dnskey } from '../../dns/rdata.ts'
import { FLAG_SEP, FLAG_ZONE } from '../keys.ts'
import type { ZoneKey } from '../signing/sign-rrset.ts'
import { RSA_TEST_KEYS } from './rsa-test-keys.ts'

export type TestAlgorithm = 'rsa-2048' | 'rsa-1024' | 'rsa-512' | 'rsa-sha1' | 'p256' | 'p384' | 'ed25519'

/** A deterministic combined signing key; different seeds give different keys, except for RSA. */
export function testKey(algorithm: TestAlgorithm, seed = 'a', flags = FLAG_ZONE | FLAG_SEP): ZoneKey {
  const secret = (bytes: number) => {
    const digest = sha384(new TextEncoder().encode(`${algorithm} ${seed}`)).slice(0, bytes)
    digest[0] = 0x01
    return digest
  }
  const key = (number: number, publicKey: Uint8Array, sign: ZoneKey['sign']): ZoneKey => {
    const dnskey: Dnskey = { flags, protocol: 3, algorithm: number, publicKey }
    return { dnskey, sign }
  }
  switch (algorithm) {
    case 'p256': {
      const secretKey = secret(32)
      const sign = (data: Uint8Array) => p256.sign(sha256(data), secretKey, { prehash: false })
      return key(13, p256.getPublicKey(secretKey, false).slice(1), sign)
    }
    case 'p384': {
      const secretKey = secret(48)
      const sign = (data: Uint8Array) => p384.sign(sha384(data), secretKey, { prehash: false })
      return key(14, p384.getPublicKey(secretKey, false).slice(1), sign)
    }
    case 'ed25519': {
      const secretKey = secret(32)
      return key(15, ed25519.getPublicKey(secretKey), (data) => ed25519.sign(data, secretKey))
    }
    case 'rsa-2048':
      return key(8, rsaPublicKey(2048), (data) => rsaSign(2048, SHA256_INFO, sha256(data)))
    case 'rsa-1024':
      return key(8, rsaPublicKey(1024), (data) => rsaSign(1024, SHA256_INFO, sha256(data)))
    case 'rsa-512':
      return key(8, rsaPublicKey(512), (data) => rsaSign(512, SHA256_INFO, sha256(data)))
    case 'rsa-sha1':
      return key(5, rsaPublicKey(2048), (data) => rsaSign(2048, SHA1_INFO, sha1(data)))
  }
}

const SHA256_INFO = '3031300d060960864801650304020105000420'
const SHA1_INFO = '3021300906052b0e03021a05000414'

function rsaPublicKey(bits: 512 | 1024 | 2048): Uint8Array {
  return fromHex(`03010001${RSA_TEST_KEYS[bits].n}`)
}

/** RFC 8017 §8.2.1, by the straight and slow road. */
function rsaSign(bits: 512 | 1024 | 2048, digestInfo: string, digest: Uint8Array): Uint8Array {
  const { n, d } = RSA_TEST_KEYS[bits]
  const tail = `00${digestInfo}${toHex(digest)}`
  const encoded = `0001${'f'.repeat(bits / 4 - 4 - tail.length)}${tail}`
  const modulus = BigInt(`0x${n}`)
  let result = 1n
  let power = BigInt(`0x${encoded}`)
  for (let rest = BigInt(`0x${d}`); rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * power) % modulus
    power = (power * power) % modulus
  }
  return fromHex(result.toString(16).padStart(bits / 4, '0'))
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16))
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
