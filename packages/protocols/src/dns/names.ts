import { DnsWireError } from './wire-error.ts'

/**
 * A domain name in presentation form: absolute, ending in a dot, octets outside of printable ASCII as `\DDD`
 * (RFC 1035 §5.1, RFC 4343 §2.1). `.` is the root. The functions here also accept names without the final dot.
 */
export type Name = string

export const ROOT: Name = '.'

/** RFC 1035 §2.3.4. */
const MAX_LABEL_BYTES = 63
export const MAX_NAME_BYTES = 255

const DOT = 0x2e
const BACKSLASH = 0x5c
/** Printable characters with a meaning in master files: written with a backslash. */
const QUOTED = new Set(Array.from('.\\"();@$', (char) => char.charCodeAt(0)))

/** The labels of a name, leftmost first, without the empty root label. */
export function labelsOf(name: Name): Uint8Array[] {
  if (name === ROOT) return []
  if (name === '') throw new DnsWireError('bad-name-text', 'the name is empty')
  const labels: Uint8Array[] = []
  let label: number[] = []
  let wireBytes = 1
  const endLabel = () => {
    if (label.length === 0) throw new DnsWireError('bad-label', 'the name has an empty label')
    if (label.length > MAX_LABEL_BYTES) throw new DnsWireError('bad-label', 'a label exceeds 63 octets')
    wireBytes += label.length + 1
    if (wireBytes > MAX_NAME_BYTES) throw new DnsWireError('name-too-long', 'the name exceeds 255 octets')
    labels.push(Uint8Array.from(label))
    label = []
  }
  let at = 0
  while (at < name.length) {
    const code = name.charCodeAt(at)
    if (code < 0x21 || code > 0x7e) {
      throw new DnsWireError('bad-name-text', 'the name has a character that needs an escape')
    }
    if (code === BACKSLASH) {
      const { octet, length } = unescapeAt(name, at)
      label.push(octet)
      at += length
    } else {
      if (code === DOT) endLabel()
      else label.push(code)
      at += 1
    }
  }
  if (label.length > 0) endLabel()
  return labels
}

function unescapeAt(name: string, at: number): { octet: number; length: number } {
  const digits = /^\\([0-9]{3})/.exec(name.slice(at, at + 4))
  if (digits) {
    const octet = Number(digits[1])
    if (octet > 255) throw new DnsWireError('bad-name-text', 'an escape exceeds \\255')
    return { octet, length: 4 }
  }
  const code = name.charCodeAt(at + 1)
  if (Number.isNaN(code) || code < 0x21 || code > 0x7e || (code >= 0x30 && code <= 0x39)) {
    throw new DnsWireError('bad-name-text', 'the name has a broken escape')
  }
  return { octet: code, length: 2 }
}

/** The name that has these labels, in its one normal text form. */
export function nameFromLabels(labels: readonly Uint8Array[]): Name {
  if (labels.length === 0) return ROOT
  let text = ''
  let wireBytes = 1
  for (const label of labels) {
    if (label.length === 0 || label.length > MAX_LABEL_BYTES) {
      throw new DnsWireError('bad-label', 'a label must have 1 to 63 octets')
    }
    wireBytes += label.length + 1
    for (const octet of label) text += octetText(octet)
    text += '.'
  }
  if (wireBytes > MAX_NAME_BYTES) throw new DnsWireError('name-too-long', 'the name exceeds 255 octets')
  return text
}

function octetText(octet: number): string {
  if (octet < 0x21 || octet > 0x7e) return `\\${String(octet).padStart(3, '0')}`
  const char = String.fromCharCode(octet)
  return QUOTED.has(octet) ? `\\${char}` : char
}

/** Checks a name and brings it to its normal text form; letter case is kept. */
export function parseName(text: string): Name {
  return nameFromLabels(labelsOf(text))
}

/** The name in its normal text form and lower case: equal strings are equal names (RFC 4343, RFC 4034 §6.2). */
export function canonicalName(name: Name): Name {
  return nameFromLabels(canonicalLabels(name))
}

export function sameName(a: Name, b: Name): boolean {
  return canonicalName(a) === canonicalName(b)
}

/** Uncompressed wire form; `canonical` also lower-cases ASCII letters (RFC 4034 §6.2). */
export function nameToWire(name: Name, form: 'as-is' | 'canonical' = 'as-is'): Uint8Array {
  const labels = form === 'canonical' ? canonicalLabels(name) : labelsOf(name)
  const wire = new Uint8Array(labels.reduce((sum, label) => sum + label.length + 1, 1))
  let at = 0
  for (const label of labels) {
    wire[at] = label.length
    wire.set(label, at + 1)
    at += label.length + 1
  }
  return wire
}

/** The number of labels, the root and a leading `*` both counted as they stand: `*.a.` has 2. */
export function labelCount(name: Name): number {
  return labelsOf(name).length
}

/** Whether `name` is `ancestor` or lies below it. */
export function isAtOrBelow(name: Name, ancestor: Name): boolean {
  const below = canonicalLabels(name)
  const above = canonicalLabels(ancestor)
  if (below.length < above.length) return false
  return compareLabelLists(below.slice(below.length - above.length), above) === 0
}

/** The name without its leftmost label, or null at the root. */
export function parentOf(name: Name): Name | null {
  const labels = labelsOf(name)
  return labels.length === 0 ? null : nameFromLabels(labels.slice(1))
}

/** The ancestor of `name` that has `count` labels; `name` itself when it has just as many. */
export function rightmostLabels(name: Name, count: number): Name {
  const labels = labelsOf(name)
  if (count > labels.length) throw new DnsWireError('out-of-range', 'the name has fewer labels')
  return nameFromLabels(labels.slice(labels.length - count))
}

/** `*.` followed by the name: the wildcard directly below it (RFC 4592 §2.1.1). */
export function wildcardOf(name: Name): Name {
  return nameFromLabels([Uint8Array.of(0x2a), ...labelsOf(name)])
}

/** The canonical DNS name order of RFC 4034 §6.1. */
export function compareNames(a: Name, b: Name): number {
  return compareLabelLists(canonicalLabels(a), canonicalLabels(b))
}

/** Octet strings as left-justified unsigned sequences: the order of RFC 4034 §6.1 and §6.3. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

function canonicalLabels(name: Name): Uint8Array[] {
  return labelsOf(name).map((label) =>
    label.map((octet) => (octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet)),
  )
}

function compareLabelLists(a: readonly Uint8Array[], b: readonly Uint8Array[]): number {
  for (let fromRight = 1; fromRight <= Math.min(a.length, b.length); fromRight++) {
    const order = compareBytes(a[a.length - fromRight]!, b[b.length - fromRight]!)
    if (order !== 0) return order
  }
  return a.length - b.length
}
