const BASE32HEX = '0123456789ABCDEFGHIJKLMNOPQRSTUV'

/**
 * RFC 4648 §7 without padding, in either case. Null for other characters, for a length that no bytes have, and for
 * leftover bits that are not zero.
 */
export function decodeBase32Hex(text: string): Uint8Array | null {
  // Not left to indexOf: the upper case of some letters beyond ASCII is in the alphabet.
  if (!/^[0-9A-Va-v]*$/.test(text)) return null
  const bytes: number[] = []
  let buffer = 0
  let bits = 0
  for (const char of text.toUpperCase()) {
    buffer = ((buffer << 5) | BASE32HEX.indexOf(char)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((buffer >> bits) & 0xff)
  }
  const leftover = buffer & ((1 << bits) - 1)
  return bits >= 5 || leftover !== 0 ? null : Uint8Array.from(bytes)
}

/** RFC 4648 §4, with padding. Null for anything else, whitespace too. */
export function decodeBase64(text: string): Uint8Array | null {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return null
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
  // Of the several texts for the same bytes only the one without leftover bits.
  return encodeBase64(bytes) === text ? bytes : null
}

export function encodeBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}
