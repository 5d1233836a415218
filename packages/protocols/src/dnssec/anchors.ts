import { type Name, parseName, ROOT } from '../dns/names.ts'
import type { Dnskey, Ds } from '../dns/rdata.ts'
import { DnsWireError } from '../dns/wire-error.ts'
import { decodeBase64, encodeBase64 } from './text-encodings.ts'

/** A key, or the digest of a key, that is trusted without proof. */
export type TrustAnchor = { zone: Name; kind: 'ds'; ds: Ds } | { zone: Name; kind: 'dnskey'; key: Dnskey }

export class TrustAnchorError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'TrustAnchorError'
  }
}

/**
 * The root's key signing keys of 2017 and 2024, from https://data.iana.org/root-anchors/root-anchors.xml. Compared with
 * what others ship of it: `root.ds` and `root.key` of Debian's dns-root-data 2024071801, smallapp/unbound-anchor.c of
 * NLnet Labs' Unbound, and bind.keys of BIND 9.18.
 */
export const ROOT_ANCHORS: readonly TrustAnchor[] = [
  rootDs(20326, 'E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D'),
  rootDs(38696, '683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16'),
]

function rootDs(keyTag: number, digest: string): TrustAnchor {
  return { zone: ROOT, kind: 'ds', ds: { keyTag, algorithm: 8, digestType: 2, digest: fromHex(digest) } }
}

/**
 * Reads anchors as tools write them: master file lines (`. 3600 IN DS …`, `. IN DNSKEY …`, several lines in
 * parentheses, comments after `;`), or BIND's `trust-anchors { . static-ds …; . initial-key …; };`.
 * @throws TrustAnchorError when something is not understood, or when there is no anchor at all.
 */
export function parseTrustAnchors(text: string): TrustAnchor[] {
  const block = /(?:^|\s)trust-anchors\s*\{([^}]*)\}\s*;/.exec(
    // A string is kept whole: the base64 of a key may hold `//`.
    text.replace(/("[^"\n]*")|\/\*[\s\S]*?\*\/|(?:\/\/|#).*$/gm, '$1'),
  )
  const anchors = block ? parseBindBlock(block[1]!) : parseMasterFile(text.replace(/;.*$/gm, ''))
  if (anchors.length === 0) throw new TrustAnchorError('the text holds no trust anchor')
  return anchors
}

/** One anchor as a line of a master file, without its end: `. IN DS 20326 8 2 E06D…`. */
export function formatTrustAnchor({ zone, ...anchor }: TrustAnchor): string {
  if (anchor.kind === 'ds') {
    const { keyTag, algorithm, digestType, digest } = anchor.ds
    return `${zone} IN DS ${keyTag} ${algorithm} ${digestType} ${toHex(digest)}`
  }
  const { flags, protocol, algorithm, publicKey } = anchor.key
  return `${zone} IN DNSKEY ${flags} ${protocol} ${algorithm} ${encodeBase64(publicKey)}`
}

/** BIND's form of one `trust-anchors` statement, as `named` and `delv -a` read it. */
export function formatBindTrustAnchors(anchors: readonly TrustAnchor[]): string {
  const lines = anchors.map((anchor) =>
    anchor.kind === 'ds'
      ? `${anchor.zone} static-ds ${anchor.ds.keyTag} ${anchor.ds.algorithm} ${anchor.ds.digestType} "${toHex(anchor.ds.digest)}";`
      : `${anchor.zone} static-key ${anchor.key.flags} ${anchor.key.protocol} ${anchor.key.algorithm} "${encodeBase64(anchor.key.publicKey)}";`,
  )
  return `trust-anchors {\n${lines.map((line) => `  ${line}\n`).join('')}};\n`
}

function parseBindBlock(block: string): TrustAnchor[] {
  return statements(block, ';').map((statement) => {
    const [zone, kind, ...fields] = statement.replaceAll('"', ' ').split(/\s+/).filter(Boolean)
    switch (kind) {
      case 'static-ds':
      case 'initial-ds':
        return anchorOf(zone!, 'DS', fields)
      case 'static-key':
      case 'initial-key':
        return anchorOf(zone!, 'DNSKEY', fields)
      default:
        throw new TrustAnchorError(`${shown(statement)} is no trust anchor`)
    }
  })
}

function parseMasterFile(text: string): TrustAnchor[] {
  const joined = text.replace(/\(([^)]*)\)/g, (_, inside: string) => inside.replaceAll('\n', ' '))
  return statements(joined, '\n').map((line) => {
    const match = /^\s*(\S+)\s+(?:\d+\s+)?(?:IN\s+)?(?:\d+\s+)?(DS|DNSKEY)\s+(.*)$/i.exec(line)
    if (!match) throw new TrustAnchorError(`${shown(line)} is no DS or DNSKEY record`)
    return anchorOf(match[1]!, match[2]!.toUpperCase(), match[3]!.split(/\s+/).filter(Boolean))
  })
}

function statements(text: string, separator: string): string[] {
  return text.split(separator).filter((part) => part.trim() !== '')
}

const SHOWN_CHARACTERS = 80

/** Of a file that is no text of ours: short, and without what would move a terminal's cursor. */
function shown(text: string): string {
  const start = text.trim().slice(0, SHOWN_CHARACTERS)
  return JSON.stringify(start).replace(/[\x7f-\x9f]/g, '\ufffd') + (start === text.trim() ? '' : '…')
}

function anchorOf(zoneText: string, type: string, [a, b, c, ...data]: string[]): TrustAnchor {
  try {
    const zone = parseName(zoneText)
    if (type === 'DS') {
      const ds = {
        keyTag: number(a, 0xffff),
        algorithm: number(b, 0xff),
        digestType: number(c, 0xff),
        digest: fromHex(data.join('')),
      }
      return { zone, kind: 'ds', ds }
    }
    const key = {
      flags: number(a, 0xffff),
      protocol: number(b, 0xff),
      algorithm: number(c, 0xff),
      publicKey: keyBytes(data.join('')),
    }
    return { zone, kind: 'dnskey', key }
  } catch (error) {
    if (error instanceof TrustAnchorError) throw error
    if (!(error instanceof DnsWireError)) throw error
    throw new TrustAnchorError(`${shown(zoneText)} is no zone: ${error.message}`, { cause: error })
  }
}

function keyBytes(text: string): Uint8Array {
  const bytes = decodeBase64(text)
  if (bytes === null || bytes.length === 0) throw new TrustAnchorError('the key is missing or no base64')
  return bytes
}

function number(text: string | undefined, max: number): number {
  if (!text || !/^[0-9]{1,5}$/.test(text) || Number(text) > max) {
    throw new TrustAnchorError(`${shown(text ?? '')} is no number of a trust anchor`)
  }
  return Number(text)
}

function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})+$/i.test(text)) throw new TrustAnchorError('a digest is not in hexadecimal')
  return Uint8Array.from(text.match(/../g)!, (pair) => parseInt(pair, 16))
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase()
}
