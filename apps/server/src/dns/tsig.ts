import { createHmac, timingSafeEqual } from 'node:crypto'
import { CLASS } from '@holdfast/protocols/dns/codes'
import { canonicalName, nameToWire, sameName } from '@holdfast/protocols/dns/names'
import { appendTsig, splitTsig, type Tsig } from '@holdfast/protocols/dns/tsig'
import { WireWriter } from '@holdfast/protocols/dns/writer'
import type { Secret } from '../platform/secret.ts'

export type TsigAlgorithm = keyof typeof HASH

/** A secret that we share with a DNS server (RFC 8945). */
export type TsigKey = {
  /** The key's name, a domain name; both sides must use the same. */
  readonly name: string
  readonly algorithm: TsigAlgorithm
  readonly secret: Secret<Uint8Array>
}

export type TsigFailure =
  /** The answer has no TSIG, or one of another key: it proves nothing. */
  | 'unsigned'
  /** The MAC of the answer is wrong: the other end does not have our secret, or the answer was changed. */
  | 'bad-mac'
  /** The answer was signed at a time that our clock calls more than the fudge away. */
  | 'stale'
  /** The server does not know the key (BADKEY). */
  | 'BADKEY'
  /** The server found our MAC wrong: the secrets differ (BADSIG). */
  | 'BADSIG'
  /** The server's clock is further from ours than the fudge (BADTIME). */
  | 'BADTIME'
  /** Another TSIG error of the server, such as BADTRUNC. */
  | 'other'

/** A signed message, and what is needed to check the answer to it. */
export type SignedRequest = { readonly wire: Uint8Array; readonly mac: Uint8Array }

export type TsigVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly failure: TsigFailure; readonly detail: string }

/** RFC 8945 §10: the recommended 300 seconds. */
const FUDGE_SECONDS = 300

const ERROR = { BADSIG: 16, BADKEY: 17, BADTIME: 18 } as const

const HASH = { 'hmac-sha256': 'sha256', 'hmac-sha384': 'sha384', 'hmac-sha512': 'sha512' } as const

/** Appends a TSIG to a DNS message. `nowMs` is milliseconds since 1970. */
export function signRequest(message: Uint8Array, key: TsigKey, nowMs: number): SignedRequest {
  const unsigned = {
    keyName: key.name,
    algorithm: `${key.algorithm}.`,
    timeSigned: Math.floor(nowMs / 1000),
    fudgeSeconds: FUDGE_SECONDS,
    originalId: (message[0]! << 8) | message[1]!,
    error: 0,
    otherData: new Uint8Array(0),
  }
  const mac = macOf(key, [message, variables(unsigned)])
  return { wire: appendTsig(message, { ...unsigned, mac }), mac }
}

/**
 * Checks the answer to a signed request in the order of RFC 8945 §5.2 and §5.3: key, MAC, time. Errors that only a
 * signed answer can prove are taken from a signed answer only. Throws `DnsWireError` for bytes that are no message.
 */
export function verifyResponse(
  response: Uint8Array,
  request: SignedRequest,
  key: TsigKey,
  nowMs: number,
): TsigVerdict {
  const split = splitTsig(response)
  if (!split) return failed('unsigned', 'the answer carries no TSIG')
  const { covered, tsig } = split
  if (!isOfKey(tsig, key)) return otherKey(tsig)
  // RFC 8945 §5.3.2: these two come unsigned, as the server has no key that both sides know.
  if (tsig.mac.length === 0 && tsig.error === ERROR.BADKEY) {
    return failed('BADKEY', `the server does not know the key ${key.name} with ${key.algorithm}`)
  }
  if (tsig.mac.length === 0 && tsig.error === ERROR.BADSIG) {
    return failed('BADSIG', `the server has another secret for the key ${key.name}`)
  }
  const expected = macOf(key, [lengthPrefixed(request.mac), covered, variables(tsig)])
  return verdictOf(tsig, expected, key, nowMs)
}

/** A TSIG with the MAC that its message should have. */
function verdictOf(tsig: Tsig, expected: Uint8Array, key: TsigKey, nowMs: number): TsigVerdict {
  if (!isOfKey(tsig, key)) return otherKey(tsig)
  // RFC 8945 §5.2.2.1 allows truncated MACs by agreement; we have none, so the whole MAC must be there.
  if (tsig.mac.length !== expected.length || !timingSafeEqual(tsig.mac, expected)) {
    return failed('bad-mac', 'the MAC of the answer is wrong')
  }
  if (tsig.error === ERROR.BADTIME)
    return failed('BADTIME', `our clock differs from the server's${offset(tsig)}`)
  if (tsig.error !== 0) return failed('other', `TSIG error ${tsig.error}`)
  const ageSeconds = Math.floor(nowMs / 1000) - tsig.timeSigned
  if (Math.abs(ageSeconds) > FUDGE_SECONDS)
    return failed('stale', `the answer was signed ${ageSeconds} s ago`)
  return { ok: true }
}

function isOfKey(tsig: Tsig, key: TsigKey): boolean {
  return sameName(tsig.keyName, key.name) && sameName(tsig.algorithm, key.algorithm)
}

function otherKey(tsig: Tsig): TsigVerdict {
  return failed('unsigned', `the answer is signed with the key ${tsig.keyName} ${tsig.algorithm}`)
}

/** RFC 8945 §5.3.1: of a stream of answers at least every hundredth is signed. */
const MAX_UNSIGNED = 99

/**
 * Checks the messages of one answer that is a stream over TCP (RFC 8945 §5.3.1), in their order: each MAC covers what
 * came since the one before. `pending`: nothing of what came since the last `ok` is proven yet.
 */
export function verifyStream(
  request: SignedRequest,
  key: TsigKey,
  now: () => number,
): (message: Uint8Array) => TsigVerdict | 'pending' {
  let priorMac: Uint8Array | null = null
  let unsigned: Uint8Array[] = []
  return (message) => {
    const split = splitTsig(message)
    if (priorMac === null) {
      const verdict = verifyResponse(message, request, key, now())
      if (split && verdict.ok) priorMac = split.tsig.mac
      return verdict
    }
    if (!split) {
      unsigned.push(message)
      return unsigned.length > MAX_UNSIGNED
        ? failed('unsigned', 'too much of the answer is unsigned')
        : 'pending'
    }
    const { covered, tsig } = split
    const expected = macOf(key, [lengthPrefixed(priorMac), ...unsigned, covered, timers(tsig)])
    unsigned = []
    priorMac = tsig.mac
    return verdictOf(tsig, expected, key, now())
  }
}

function failed(failure: TsigFailure, detail: string): TsigVerdict {
  return { ok: false, failure, detail }
}

/** RFC 8945 §5.2.3: with BADTIME, `timeSigned` repeats our time and `otherData` holds the server's, in 6 bytes. */
function offset(tsig: Tsig): string {
  if (tsig.otherData.length !== 6) return ''
  const serverTime = Buffer.from(tsig.otherData).readUIntBE(0, 6)
  return ` by ${serverTime - tsig.timeSigned} s`
}

/** The TSIG variables of RFC 8945 §4.3.3; names in canonical form, as they are compared without case. */
function variables(tsig: Omit<Tsig, 'mac' | 'originalId'>): Uint8Array {
  return new WireWriter()
    .raw(nameToWire(canonicalName(tsig.keyName)))
    .u16(CLASS.ANY)
    .u32(0)
    .raw(nameToWire(canonicalName(tsig.algorithm)))
    .u48(tsig.timeSigned)
    .u16(tsig.fudgeSeconds)
    .u16(tsig.error)
    .u16(tsig.otherData.length)
    .raw(tsig.otherData)
    .finish()
}

/** RFC 8945 §5.3.1: what the MAC of a later message covers of its TSIG. */
function timers({ timeSigned, fudgeSeconds }: Tsig): Uint8Array {
  return new WireWriter().u48(timeSigned).u16(fudgeSeconds).finish()
}

function lengthPrefixed(mac: Uint8Array): Uint8Array {
  return new WireWriter().u16(mac.length).raw(mac).finish()
}

function macOf(key: TsigKey, parts: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac(HASH[key.algorithm], key.secret.reveal())
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}
