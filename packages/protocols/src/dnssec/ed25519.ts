import { sha512 } from '@noble/hashes/sha2.js'
import { modulo, power, toBigInt } from './modular.ts'

/** RFC 8032 §5.1: the field, the curve -x² + y² = 1 + d·x²·y², its base point and that point's order. */
const P = 2n ** 255n - 19n
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
const SQRT_OF_MINUS_1 = power(2n, (P - 1n) / 4n, P)
const SIGN_BIT = 2n ** 255n

/** x = X/Z, y = Y/Z, x·y = T/Z (RFC 8032 §5.1.4). */
type Point = { readonly x: bigint; readonly y: bigint; readonly z: bigint; readonly t: bigint }
const IDENTITY: Point = { x: 0n, y: 1n, z: 1n, t: 0n }
const BASE = pointOf(
  15112221349535400772501151409588531511454012693041857206046113283949847762202n,
  46316835694926478169428394003475163141307993866256225615783033603165251855960n,
)

/**
 * RFC 8032 §5.1.7: canonical points only, S below the order, and the equation with the cofactor. Keys of small order,
 * for which anything is signed, are refused. There is no secret in it, so it need not run in constant time.
 */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  const key = decodePoint(publicKey)
  const r = decodePoint(signature.subarray(0, 32))
  const s = littleEndian(signature.subarray(32))
  if (!key || !r || s >= ORDER || isIdentity(timesCofactor(key))) return false
  const hash = sha512.create().update(signature.subarray(0, 32)).update(publicKey).update(message).digest()
  const k = littleEndian(hash) % ORDER
  const difference = add(sumOfMultiples(s, BASE, k, negate(key)), negate(r))
  return isIdentity(timesCofactor(difference))
}

/** RFC 8032 §5.1.3; null for what is no point, or not in its one encoding. */
function decodePoint(bytes: Uint8Array): Point | null {
  const encoded = littleEndian(bytes)
  const y = encoded % SIGN_BIT
  if (y >= P) return null
  const isOdd = encoded >= SIGN_BIT ? 1n : 0n
  const u = modulo(y * y - 1n, P)
  const v = modulo(D * y * y + 1n, P)
  const candidate = (u * power(v, 3n, P) * power(u * power(v, 7n, P), (P - 5n) / 8n, P)) % P
  const square = (v * candidate * candidate) % P
  const root = square === u ? candidate : square === P - u ? (candidate * SQRT_OF_MINUS_1) % P : null
  if (root === null && u !== 0n) return null
  const x = root ?? 0n
  if (x === 0n && isOdd === 1n) return null
  return pointOf(x % 2n === isOdd ? x : P - x, y)
}

/** u·a + v·b, bit by bit of both at a time. */
function sumOfMultiples(u: bigint, a: Point, v: bigint, b: Point): Point {
  const choices = [IDENTITY, a, b, add(a, b)]
  let sum = IDENTITY
  for (let bit = 252n; bit >= 0n; bit--) {
    sum = add(sum, sum)
    const choice = Number(((u >> bit) & 1n) | (((v >> bit) & 1n) << 1n))
    if (choice !== 0) sum = add(sum, choices[choice]!)
  }
  return sum
}

/** RFC 8032 §5.1.4; it holds for all pairs of points, equal ones too. */
function add(p: Point, q: Point): Point {
  const a = ((p.y - p.x) * (q.y - q.x)) % P
  const b = ((p.y + p.x) * (q.y + q.x)) % P
  const c = (((2n * p.t * q.t) % P) * D) % P
  const d = (2n * p.z * q.z) % P
  const [e, f, g, h] = [b - a, d - c, d + c, b + a]
  return { x: modulo(e * f, P), y: modulo(g * h, P), z: modulo(f * g, P), t: modulo(e * h, P) }
}

function timesCofactor(point: Point): Point {
  let multiple = point
  for (let doubled = 0; doubled < 3; doubled++) multiple = add(multiple, multiple)
  return multiple
}

function isIdentity({ x, y, z }: Point): boolean {
  return x === 0n && y === z
}

function negate({ x, y, z, t }: Point): Point {
  return { x: modulo(-x, P), y, z, t: modulo(-t, P) }
}

function pointOf(x: bigint, y: bigint): Point {
  return { x, y, z: 1n, t: (x * y) % P }
}

function littleEndian(bytes: Uint8Array): bigint {
  return toBigInt(bytes.toReversed())
}
