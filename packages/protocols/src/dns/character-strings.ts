/** RFC 1035 §3.3. */
const MAX_CHARACTER_STRING_BYTES = 255

/** A value in UTF-8, cut into the character-strings of one TXT RR, of which there is at least one. */
export function cutIntoCharacterStrings(value: string): Uint8Array[] {
  const bytes = new TextEncoder().encode(value)
  const strings: Uint8Array[] = []
  for (let at = 0; at < bytes.length || at === 0; at += MAX_CHARACTER_STRING_BYTES)
    strings.push(bytes.subarray(at, at + MAX_CHARACTER_STRING_BYTES))
  return strings
}
