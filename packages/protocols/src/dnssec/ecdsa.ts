import { inverse, modulo } from './modular.ts'

/**
 * ECDSA verification over the two curves of RFC 6605, and nothing else. There is no secret in it, so it need not run in
 * constant time. It is a tenth of the size of a general curve library, which browsers would have to load.
 */
export type EcdsaCurve = {
  /** The field's prime. */
  readonly p: bigint
  /** The order of the base point, a prime. */
  readonly n: bigint
  /** y² = x³ - 3x + b */
  readonly b: bigint
  readonly g: AffinePoint
  readonly fieldBytes: number
}

export type AffinePoint = { readonly x: bigint; readonly y: bigint }

/** FIPS 186-4 appendix D.1.2.3. */
export const P256: EcdsaCurve = {
  p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
  n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  g: {
    x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
    y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  },
  fieldBytes: 32,
}

/** FIPS 186-4 appendix D.1.2.4. */
export const P384: EcdsaCurve = {
  p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
  n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  g: {
    x: 0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
    y: 0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
  },
  fieldBytes: 48,
}

/** SEC 1 §3.2.2.1; the cofactor is 1, so that every point of the curve has the order n. */
export function isOnCurve({ p, b }: EcdsaCurve, { x, y }: AffinePoint): boolean {
  return x < p && y < p && (y * y - x * x * x + 3n * x - b) % p === 0n
}

/** SEC 1 §4.1.4. `digest` is as long as the field; `r` and `s` may be any numbers; `key` must be on the curve. */
export function verifyEcdsaDigest(
  curve: EcdsaCurve,
  key: AffinePoint,
  digest: bigint,
  r: bigint,
  s: bigint,
): boolean {
  const { n, p } = curve
  if (r < 1n || r >= n || s < 1n || s >= n) return false
  const w = inverse(s, n)
  const { x, z } = sumOfMultiples(curve, (digest * w) % n, (r * w) % n, key)
  if (z === 0n) return false
  const zInverse = inverse(z, p)
  return ((x * zInverse * zInverse) % p) % n === r
}

/** x/z², y/z³; z = 0 is the point at infinity. */
type JacobianPoint = { readonly x: bigint; readonly y: bigint; readonly z: bigint }
const INFINITY: JacobianPoint = { x: 1n, y: 1n, z: 0n }

const WINDOW_BITS = 4n
const WINDOW_MASK = (1n << WINDOW_BITS) - 1n

/** u·G + v·key, a window of bits of both at a time. */
function sumOfMultiples(curve: EcdsaCurve, u: bigint, v: bigint, key: AffinePoint): JacobianPoint {
  const { p, g, fieldBytes } = curve
  const ofG = multiples(p, g)
  const ofKey = multiples(p, key)
  let sum = INFINITY
  for (let shift = BigInt(fieldBytes * 8) - WINDOW_BITS; shift >= 0n; shift -= WINDOW_BITS) {
    for (let bit = 0n; bit < WINDOW_BITS; bit++) sum = double(p, sum)
    sum = add(p, sum, ofG[Number((u >> shift) & WINDOW_MASK)]!)
    sum = add(p, sum, ofKey[Number((v >> shift) & WINDOW_MASK)]!)
  }
  return sum
}

/** 0, 1, 2 … times the point, as many as a window can ask for. */
function multiples(p: bigint, { x, y }: AffinePoint): JacobianPoint[] {
  const one = { x, y, z: 1n }
  const points = [INFINITY, one]
  while (points.length <= WINDOW_MASK) points.push(add(p, points.at(-1)!, one))
  return points
}

/** "dbl-2001-b" of the Explicit-Formulas Database, for a = -3. */
function double(p: bigint, { x, y, z }: JacobianPoint): JacobianPoint {
  if (z === 0n) return INFINITY
  const delta = (z * z) % p
  const gamma = (y * y) % p
  const beta = (x * gamma) % p
  const alpha = (3n * (x - delta) * (x + delta)) % p
  const x3 = modulo(alpha * alpha - 8n * beta, p)
  return {
    x: x3,
    y: modulo(alpha * (4n * beta - x3) - 8n * gamma * gamma, p),
    z: modulo(2n * y * z, p),
  }
}

/** "add-2007-bl" in its plain form, with the cases that it leaves out. */
function add(p: bigint, a: JacobianPoint, b: JacobianPoint): JacobianPoint {
  if (a.z === 0n) return b
  if (b.z === 0n) return a
  const aZ2 = (a.z * a.z) % p
  const bZ2 = (b.z * b.z) % p
  const u1 = (a.x * bZ2) % p
  const s1 = (((a.y * b.z) % p) * bZ2) % p
  const h = modulo(b.x * aZ2 - u1, p)
  const r = modulo(((b.y * a.z) % p) * aZ2 - s1, p)
  if (h === 0n) return r === 0n ? double(p, a) : INFINITY
  const h2 = (h * h) % p
  const h3 = (h * h2) % p
  const v = (u1 * h2) % p
  const x = modulo(r * r - h3 - 2n * v, p)
  return { x, y: modulo(r * (v - x) - s1 * h3, p), z: (((a.z * b.z) % p) * h) % p }
}
