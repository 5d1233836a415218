import { cutIntoCharacterStrings } from '@holdfast/protocols/dns/character-strings'

const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * A TXT value as Cloudflare's API takes it: quoted character-strings of RFC 1035, each of at most 255 bytes, with a
 * space between. What Cloudflare would cut or quote by itself is then stored as it was sent.
 */
export function encodeTxtContent(value: string): string {
  return cutIntoCharacterStrings(value)
    .map((bytes) => `"${Array.from(bytes, escaped).join('')}"`)
    .join(' ')
}

/**
 * The value of a TXT record that the API lists, its strings joined, or null when it is not of that form. A record that
 * somebody made by hand may be listed without any quotes: that is its value.
 */
export function decodeTxtContent(content: string): string | null {
  if (!content.startsWith('"')) return content
  if (!QUOTED_STRINGS.test(content)) return null
  const parts: Uint8Array[] = []
  for (const [string] of content.matchAll(QUOTED_STRING)) {
    for (const [, octet, quoted, plain] of string.slice(1, -1).matchAll(PART)) {
      if (octet === undefined) parts.push(new TextEncoder().encode(quoted ?? plain))
      else if (Number(octet) <= 0xff) parts.push(Uint8Array.of(Number(octet)))
      else return null
    }
  }
  return Buffer.concat(parts).toString('utf8')
}

const QUOTED_STRING = /"(?:[^"\\]|\\[0-9]{3}|\\[^0-9])*"/gs
const QUOTED_STRINGS = /^"(?:[^"\\]|\\[0-9]{3}|\\[^0-9])*"(?:\s+"(?:[^"\\]|\\[0-9]{3}|\\[^0-9])*")*$/s
/** Of the inside of a string: an octet by its number, a character that is quoted, or a run of others. */
const PART = /\\([0-9]{3})|\\([^0-9])|([^\\]+)/gsu

/** Printable ASCII as it is, but for the two characters with a meaning; any other byte as `\DDD` (RFC 1035 §5.1). */
function escaped(byte: number): string {
  if (byte < 0x20 || byte > 0x7e) return `\\${String(byte).padStart(3, '0')}`
  const char = String.fromCharCode(byte)
  return byte === QUOTE || byte === BACKSLASH ? `\\${char}` : char
}
