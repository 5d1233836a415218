import { bytesOfWords, textOfWords, wordsOfBytes, wordsOfText } from '../bech32-words.ts'
import { Bolt12Error } from './error.ts'

/** An offer must fit an onion message (at most 64 KiB) together with the request that mirrors it. */
const MAX_CHARACTERS = 65_536

// BOLT 12 "Encoding": `+` and the whitespace after it count only between two bech32 characters.
const CONTINUATION = /(?<=[0-9a-z])\+[ \t\r\n\v\f]*(?=[0-9a-z])/gi

/**
 * Reads a BOLT 12 string with the human-readable prefix `prefix` (BOLT 12, "Encoding"). There is no checksum.
 * Answers the canonical text, in lower case and in one piece, and the bytes of the TLV stream.
 */
export function decodeBolt12String(text: string, prefix: string): { text: string; bytes: Uint8Array } {
  if (text.length > MAX_CHARACTERS) {
    throw new Bolt12Error('too-long', `the string exceeds ${MAX_CHARACTERS} characters`)
  }
  const joined = text.replace(CONTINUATION, '')
  if (joined.includes('+')) {
    throw new Bolt12Error('bad-continuation', 'a + does not stand between two bech32 characters')
  }
  // "MUST handle strings which are all lowercase, or all uppercase": nothing else.
  if (/[a-z]/.test(joined) && /[A-Z]/.test(joined)) {
    throw new Bolt12Error('mixed-case', 'the string mixes upper and lower case')
  }
  const canonical = joined.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  if (!canonical.startsWith(`${prefix}1`)) {
    throw new Bolt12Error('bad-prefix', `the string does not begin with ${prefix}1`)
  }
  const data = wordsOfText(canonical.slice(prefix.length + 1))
  if ('badAt' in data) {
    const at = prefix.length + 1 + data.badAt
    throw new Bolt12Error('bad-character', `character ${at + 1} is not a bech32 character`)
  }
  const bytes = bytesOfWords(data.words)
  if (bytes === null)
    throw new Bolt12Error('bad-padding', 'the last character holds bits that belong to no byte')
  return { text: canonical, bytes }
}

export function encodeBolt12String(prefix: string, bytes: Uint8Array): string {
  return `${prefix}1${textOfWords(wordsOfBytes(bytes))}`
}
