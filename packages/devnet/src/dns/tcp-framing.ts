/** RFC 1035 §4.2.2: over TCP every message follows its length in two octets. */
export function withLength(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(message.length + 2)
  framed.set([message.length >> 8, message.length & 0xff])
  framed.set(message, 2)
  return framed
}

/** The messages that are complete with this chunk, and the bytes of the next. */
export function takeFramed(
  before: Uint8Array,
  chunk: Uint8Array,
): { messages: Uint8Array[]; rest: Uint8Array } {
  let rest = new Uint8Array(before.length + chunk.length)
  rest.set(before)
  rest.set(chunk, before.length)
  const messages: Uint8Array[] = []
  while (rest.length >= 2) {
    const length = (rest[0]! << 8) | rest[1]!
    if (rest.length < 2 + length) break
    messages.push(rest.slice(2, 2 + length))
    rest = rest.slice(2 + length)
  }
  return { messages, rest }
}
