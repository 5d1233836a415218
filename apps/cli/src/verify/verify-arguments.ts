import { open } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { Bip353Error, parseName } from '@holdfast/protocols/bip353'
import {
  parseTrustAnchors,
  ROOT_ANCHORS,
  type TrustAnchor,
  TrustAnchorError,
} from '@holdfast/protocols/dnssec'
import { MAX_CHAIN_BYTES, MAX_EXPIRY_GRACE_SECONDS } from '@holdfast/protocols/rfc9102'
import {
  parseResolverEndpoint,
  type ResolverEndpoint,
} from '@holdfast/server/dns/resolvers/resolver-endpoint'
import { UsageError } from '../command.ts'

export type VerifyRequest = {
  /** As it was written. */
  readonly name: string
  /** Seconds since 1970. */
  readonly nowSeconds: number
  readonly expiryGraceSeconds: number
  readonly anchors: readonly TrustAnchor[]
  readonly source:
    | { readonly kind: 'proof'; readonly file: string; readonly bytes: Uint8Array }
    /** No servers: those of the system. */
    | { readonly kind: 'dns'; readonly servers: readonly ResolverEndpoint[]; readonly saveTo: string | null }
  readonly json: boolean
}

/** The longest chain, and a name before it as in a PSBT. */
const MAX_PROOF_BYTES = 1 + 255 + MAX_CHAIN_BYTES
const MAX_ANCHORS_BYTES = 65_536

/** @throws UsageError */
export async function readVerifyArguments(args: readonly string[]): Promise<VerifyRequest> {
  const { values, positionals } = parse(args)
  const [name, ...more] = positionals
  if (name === undefined) throw new UsageError('which name? Such as alice@shop.example')
  if (more.length > 0) throw new UsageError(`one name at a time, not also ${more.join(' ')}`)
  checkIsName(name)
  const { proof, server = [], save } = values
  if (proof !== undefined && (server.length > 0 || save !== undefined)) {
    throw new UsageError('--proof works offline: it goes with neither --server nor --save')
  }
  return {
    name,
    nowSeconds: values.at === undefined ? Math.floor(Date.now() / 1000) : readTime(values.at),
    expiryGraceSeconds: readGrace(values.grace ?? '0'),
    anchors: values.anchor === undefined ? ROOT_ANCHORS : await readAnchors(values.anchor),
    source:
      proof === undefined
        ? { kind: 'dns', servers: server.map(readServer), saveTo: save ?? null }
        : { kind: 'proof', file: proof, bytes: await readBytes(proof, MAX_PROOF_BYTES) },
    json: values.json ?? false,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        proof: { type: 'string' },
        at: { type: 'string' },
        grace: { type: 'string' },
        anchor: { type: 'string' },
        server: { type: 'string', multiple: true },
        save: { type: 'string' },
        json: { type: 'boolean' },
      },
    })
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message, { cause: error })
    throw error
  }
}

function checkIsName(name: string): void {
  try {
    parseName(name)
  } catch (error) {
    if (!(error instanceof Bip353Error)) throw error
    throw new UsageError(`${JSON.stringify(name)} is no name: ${error.message}`, { cause: error })
  }
}

/** ISO 8601. Without an offset it is UTC: the machine's own would be another moment on another machine. */
function readTime(text: string): number {
  const [, day, time = 'T00:00', offset = 'Z'] =
    /^(\d{4}-\d{2}-\d{2})(?:(T(?:[01]\d|2[0-3]):\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:\d{2})?)?$/.exec(
      text,
    ) ?? []
  const ms = day !== undefined && isDay(day) ? Date.parse(`${day}${time}${offset}`) : Number.NaN
  if (Number.isNaN(ms)) throw new UsageError(`--at takes a time such as 2025-08-07T18:00:00Z, not ${text}`)
  return Math.floor(ms / 1000)
}

/** `Date.parse` takes 30 February for 2 March. */
function isDay(text: string): boolean {
  const ms = Date.parse(text)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)
}

function readGrace(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) <= MAX_EXPIRY_GRACE_SECONDS) return Number(text)
  throw new UsageError(`--grace takes 0 to ${MAX_EXPIRY_GRACE_SECONDS} seconds, not ${text}`)
}

function readServer(text: string): ResolverEndpoint {
  try {
    return parseResolverEndpoint(text)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new UsageError(`--server: ${error.message}`, { cause: error })
  }
}

async function readAnchors(file: string): Promise<TrustAnchor[]> {
  const bytes = await readBytes(file, MAX_ANCHORS_BYTES)
  if (bytes.length > MAX_ANCHORS_BYTES) throw new UsageError(`${file} holds more than 65,536 bytes`)
  const text = new TextDecoder().decode(bytes)
  try {
    return parseTrustAnchors(text)
  } catch (error) {
    if (!(error instanceof TrustAnchorError)) throw error
    throw new UsageError(`${file}: ${error.message}`, { cause: error })
  }
}

/** All of the file, or one byte more than `most` of one that is longer. */
async function readBytes(file: string, most: number): Promise<Uint8Array> {
  try {
    await using handle = await open(file)
    const bytes = new Uint8Array(most + 1)
    for (let length = 0; ; ) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length)
      length += bytesRead
      if (bytesRead === 0 || length === bytes.length) return bytes.slice(0, length)
    }
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}
