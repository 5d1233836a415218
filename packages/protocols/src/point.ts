import { bytesToHex } from '@noble/hashes/utils.js'

/** The prime of secp256k1 (SEC 2, section 2.4.1), whose curve is y² = x³ + 7. */
const P = 2n ** 256n - 2n ** 32n - 977n

/**
 * Whether 33 bytes are a compressed point of secp256k1 (BOLT 1, type `point`): on the curve, x below the prime. Nobody
 * asks for y here, so it is not computed: that takes five times as long, and an offer with paths has many points.
 */
export function isPoint(bytes: Uint8Array): boolean {
  if (bytes.length !== 33 || (bytes[0] !== 2 && bytes[0] !== 3)) return false
  const x = BigInt(`0x${bytesToHex(bytes.subarray(1))}`)
  return x < P && jacobi((x * x * x + 7n) % P, P) === 1
}

/**
 * The Jacobi symbol (a/n) for odd n; for a prime n it is 1 where a is a square other than 0. H. Cohen, A Course in
 * Computational Algebraic Number Theory, algorithm 1.4.10. Its time depends on its input: for public values only.
 */
function jacobi(a: bigint, n: bigint): -1 | 0 | 1 {
  let sign: -1 | 1 = 1
  while (a !== 0n) {
    let isOddPower = false
    for (; (a & 1n) === 0n; a >>= 1n) isOddPower = !isOddPower
    // (2/n) is -1 where n is 3 or 5 modulo 8.
    const rest = n & 7n
    if (isOddPower && (rest === 3n || rest === 5n)) sign = -sign as -1 | 1
    // Quadratic reciprocity.
    if ((a & 3n) === 3n && (n & 3n) === 3n) sign = -sign as -1 | 1
    ;[a, n] = [n % a, a]
  }
  return n === 1n ? sign : 0
}
