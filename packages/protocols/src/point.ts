/** The prime of secp256k1 (SEC 2, section 2.4.1), whose curve is y² = x³ + 7. */
const P = 2n ** 256n - 2n ** 32n - 977n

/** A number below 2^256 in words of 32 bits, the lowest first. */
type Words = Uint32Array<ArrayBuffer>
const WORDS = 8
const P_WORDS = wordsOf(P, new Uint32Array(WORDS))

/**
 * Whether 33 bytes are a compressed point of secp256k1 (BOLT 1, type `point`): on the curve, x below the prime. Nobody
 * asks for y here, so it is not computed: that takes many times as long, and an offer with paths has many points.
 */
export function isPoint(bytes: Uint8Array): boolean {
  if (bytes.length !== 33 || (bytes[0] !== 2 && bytes[0] !== 3)) return false
  const view = new DataView(bytes.buffer, bytes.byteOffset + 1, 32)
  let x = 0n
  for (let at = 0; at < 32; at += 8) x = (x << 64n) | view.getBigUint64(at)
  return x < P && isSquare((x * x * x + 7n) % P)
}

const scratch = { a: new Uint32Array(WORDS), n: new Uint32Array(WORDS) }

/**
 * Whether `value` is a square modulo P: its Jacobi symbol (value/P) is 1. It is never 0, since the group's order is
 * odd: no point has y = 0. The binary algorithm (H. Cohen, A Course in Computational Algebraic Number Theory, section
 * 1.4.2), in place: big integers would leave 15 KB of garbage for each point. Its time depends on its input: for
 * public values only.
 */
function isSquare(value: bigint): boolean {
  let a = wordsOf(value, scratch.a)
  let n = scratch.n
  n.set(P_WORDS)
  let sign = 1
  for (;;) {
    const zeros = removeFactorsOf2(a)
    // (2/n) is -1 where n is 3 or 5 modulo 8.
    const rest = low(n) & 7
    if (zeros % 2 === 1 && (rest === 3 || rest === 5)) sign = -sign
    const order = compare(a, n)
    // P is prime, so they share no factor: equal they are 1.
    if (order === 0) return sign === 1
    if (order < 0) {
      // Quadratic reciprocity.
      if ((low(a) & 3) === 3 && (low(n) & 3) === 3) sign = -sign
      ;[a, n] = [n, a]
    }
    subtract(a, n)
  }
}

const low = (words: Words) => words[0] as number

function wordsOf(value: bigint, into: Words): Words {
  for (let index = 0; index < WORDS; index++)
    into[index] = Number((value >> BigInt(32 * index)) & 0xffff_ffffn)
  return into
}

function compare(a: Words, b: Words): number {
  for (let index = WORDS - 1; index >= 0; index--) {
    const difference = (a[index] as number) - (b[index] as number)
    if (difference !== 0) return difference
  }
  return 0
}

/** a := a - b, for a ≥ b. */
function subtract(a: Words, b: Words): void {
  let borrow = 0
  for (let index = 0; index < WORDS; index++) {
    const difference = (a[index] as number) - (b[index] as number) - borrow
    borrow = difference < 0 ? 1 : 0
    a[index] = difference
  }
}

/** Shifts a number other than 0 until it is odd, and says how far. */
function removeFactorsOf2(a: Words): number {
  let shifted = 0
  while ((low(a) & 1) === 0) {
    const lowest = low(a)
    const bits = lowest === 0 ? 31 : 31 - Math.clz32(lowest & -lowest)
    for (let index = 0; index < WORDS; index++)
      a[index] = ((a[index] as number) >>> bits) | ((a[index + 1] ?? 0) << (32 - bits))
    shifted += bits
  }
  return shifted
}
