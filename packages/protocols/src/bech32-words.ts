/** The data characters of BIP-173; a character's position is its 5-bit value. */
export const BECH32_ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'

const VALUE_OF = new Map(Array.from(BECH32_ALPHABET, (char, value) => [char, value]))

/** 5-bit values of lower-case bech32 characters, or the position of the first character that is none. */
export function wordsOfText(text: string): { words: Uint8Array } | { badAt: number } {
  const words = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) {
    const value = VALUE_OF.get(text[at]!)
    if (value === undefined) return { badAt: at }
    words[at] = value
  }
  return { words }
}

export function textOfWords(words: Uint8Array): string {
  let text = ''
  for (const word of words) text += BECH32_ALPHABET[word]
  return text
}

/**
 * Regroups 5-bit words into bytes. Null unless at most 4 bits are left over and all of them are zero, so that every
 * byte string has exactly one form (BIP-173, "Decoding").
 */
export function bytesOfWords(words: Uint8Array): Uint8Array | null {
  const padded = paddedBytesOfWords(words)
  const whole = Math.floor((words.length * 5) / 8)
  const leftOver = (words.length * 5) % 8
  if (leftOver > 4 || (leftOver > 0 && padded[whole] !== 0)) return null
  return padded.subarray(0, whole)
}

/** Regroups 5-bit words into bytes, the last byte filled up with zero bits. */
export function paddedBytesOfWords(words: Uint8Array): Uint8Array {
  return regroup(words, 5, 8)
}

/** Regroups bytes into 5-bit words, the last word filled up with zero bits. */
export function wordsOfBytes(bytes: Uint8Array): Uint8Array {
  return regroup(bytes, 8, 5)
}

function regroup(from: Uint8Array, fromBits: number, toBits: number): Uint8Array {
  const to = new Uint8Array(Math.ceil((from.length * fromBits) / toBits))
  let held = 0
  let bits = 0
  let at = 0
  for (const group of from) {
    held = (held << fromBits) | group
    bits += fromBits
    while (bits >= toBits) {
      bits -= toBits
      to[at++] = held >> bits
      held &= (1 << bits) - 1
    }
  }
  if (bits > 0) to[at] = held << (toBits - bits)
  return to
}
