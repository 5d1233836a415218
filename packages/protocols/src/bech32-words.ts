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
  const bytes = new Uint8Array(Math.floor((words.length * 5) / 8))
  let bits = 0
  let held = 0
  let at = 0
  for (const word of words) {
    held = (held << 5) | word
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = held >> bits
      held &= (1 << bits) - 1
    }
  }
  return bits <= 4 && held === 0 ? bytes : null
}

/** Regroups bytes into 5-bit words, the last one filled up with zero bits. */
export function wordsOfBytes(bytes: Uint8Array): Uint8Array {
  const words = new Uint8Array(Math.ceil((bytes.length * 8) / 5))
  let bits = 0
  let held = 0
  let at = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      words[at++] = held >> bits
      held &= (1 << bits) - 1
    }
  }
  if (bits > 0) words[at] = held << (5 - bits)
  return words
}
