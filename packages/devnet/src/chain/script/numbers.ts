/** Script numbers: little-endian, sign in the top bit, shortest form only (BIP-62 rule 4, policy MINIMALDATA). */
export function encodeScriptNumber(value: bigint): Buffer {
  if (value === 0n) return Buffer.alloc(0)
  const bytes: number[] = []
  for (let rest = value < 0n ? -value : value; rest > 0n; rest >>= 8n) bytes.push(Number(rest & 0xffn))
  if (bytes.at(-1)! & 0x80) bytes.push(0)
  if (value < 0n) bytes[bytes.length - 1]! |= 0x80
  return Buffer.from(bytes)
}

/** `null` when longer than `maxBytes` (4, or 5 for lock times) or not in the shortest form. */
export function decodeScriptNumber(bytes: Uint8Array, maxBytes = 4): bigint | null {
  if (bytes.length > maxBytes) return null
  const last = bytes.at(-1)
  if (last === undefined) return 0n
  if ((last & 0x7f) === 0 && ((bytes.at(-2) ?? 0) & 0x80) === 0) return null
  let value = 0n
  for (const [i, byte] of bytes.entries()) value |= BigInt(byte) << BigInt(8 * i)
  const sign = 0x80n << BigInt(8 * (bytes.length - 1))
  return last & 0x80 ? -(value - sign) : value
}

/** Anything but zero, of either sign, is true. */
export function isTrue(bytes: Uint8Array): boolean {
  return bytes.some((byte, i) => byte !== 0 && !(byte === 0x80 && i === bytes.length - 1))
}
