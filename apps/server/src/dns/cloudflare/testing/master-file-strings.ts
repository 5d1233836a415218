/** The character-strings of a master file (RFC 1035 §5.1), written apart from `txt-content.ts` to check it. */
export function parse(content: string): Uint8Array[] {
  const bytes = Buffer.from(content, 'utf8')
  const strings: Uint8Array[] = []
  let at = 0
  while (at < bytes.length) {
    if (bytes[at] === 0x20) {
      at += 1
      continue
    }
    if (bytes[at] !== 0x22) throw new Error(`no quote at ${at} of ${content}`)
    at += 1
    const string: number[] = []
    while (bytes[at] !== 0x22) {
      if (at >= bytes.length) throw new Error(`a string of ${content} does not end`)
      if (bytes[at] !== 0x5c) {
        string.push(bytes[at]!)
        at += 1
        continue
      }
      const digits = bytes.toString('latin1', at + 1, at + 4)
      const isOctet = /^[0-9]{3}$/.test(digits)
      string.push(isOctet ? Number(digits) : bytes[at + 1]!)
      at += isOctet ? 4 : 2
    }
    at += 1
    if (string.length > 255) throw new Error('a character-string exceeds 255 bytes')
    strings.push(Uint8Array.from(string))
  }
  return strings
}
