import { joinCharacterStrings, selectInstruction } from '@holdfast/protocols/bip353'
import { RCODE, rcodeName, TYPE } from '@holdfast/protocols/dns/codes'
import type { Message } from '@holdfast/protocols/dns/message'
import { canonicalName, type Name } from '@holdfast/protocols/dns/names'
import { decodeNameRdata, decodeSoa, decodeTxt } from '@holdfast/protocols/dns/rdata'

/** The record that resolvers should see by now. */
export type AwaitedRecord = {
  readonly name: string
  /** The whole `bitcoin:` URI. */
  readonly value: string
  /** Values that stood there before and may still be in caches. */
  readonly previous?: readonly string[]
}

/** What one resolver says of the record. */
export type RecordVerdict =
  /** Just this value, and the resolver says that it has validated it. */
  | { readonly verdict: 'seen' }
  /** Just this value, but the resolver does not say that it has validated it: it may be none that does. */
  | { readonly verdict: 'unvalidated' }
  /** Still what was there before: nothing, or an earlier value. It is kept for `ttlSeconds` at most, when known. */
  | { readonly verdict: 'stale'; readonly held: 'nothing' | 'previous'; readonly ttlSeconds: number | null }
  /** A value that is not ours, or more than one. */
  | { readonly verdict: 'other-content'; readonly values: number }
  /** The resolver could not find out, or found that the chain is broken; RFC 8914 tells why. */
  | { readonly verdict: 'servfail'; readonly extendedError: number | null }
  /** Another code than success: the resolver does not work for us. */
  | { readonly verdict: 'refused'; readonly rcode: string }

const OPTION_EXTENDED_ERROR = 15
const MOST_ALIASES = 8

/** The content is compared; a denial carries AD as well, and an AD alone says nothing of what was answered. */
export function judgeAnswer(message: Message, record: AwaitedRecord): RecordVerdict {
  const { rcode, flags } = message
  if (rcode === RCODE.SERVFAIL) return { verdict: 'servfail', extendedError: extendedError(message) }
  if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN)
    return { verdict: 'refused', rcode: rcodeName(rcode) }
  const records = txtAt(message, record.name)
  const values = records.map(({ rdata }) => joinCharacterStrings(decodeTxt(rdata)))
  const selected = selectInstruction(values)
  if ('problem' in selected) {
    if (selected.problem === 'ambiguous') return { verdict: 'other-content', values: values.length }
    return { verdict: 'stale', held: 'nothing', ttlSeconds: denialTtl(message) }
  }
  if (selected.uri === record.value) return { verdict: flags.authenticData ? 'seen' : 'unvalidated' }
  if (!record.previous?.includes(selected.uri)) return { verdict: 'other-content', values: values.length }
  return { verdict: 'stale', held: 'previous', ttlSeconds: Math.min(...records.map(({ ttl }) => ttl)) }
}

/** The TXT records of the name, or of the end of the aliases that begin there. */
function txtAt(message: Message, name: Name) {
  let owner = canonicalName(name)
  for (let step = 0; step < MOST_ALIASES; step++) {
    const here = message.answer.filter((record) => canonicalName(record.name) === owner)
    const alias = here.find(({ type }) => type === TYPE.CNAME)
    if (!alias) return here.filter(({ type }) => type === TYPE.TXT)
    owner = canonicalName(decodeNameRdata(alias.rdata))
  }
  return []
}

/** RFC 2308 §5: a denial is kept for the smaller of the SOA's TTL and its last field. */
function denialTtl({ authority }: Message): number | null {
  const soa = authority.find(({ type }) => type === TYPE.SOA)
  return soa ? Math.min(soa.ttl, decodeSoa(soa.rdata).minimum) : null
}

function extendedError({ edns }: Message): number | null {
  const data = edns?.options.find(({ code }) => code === OPTION_EXTENDED_ERROR)?.data
  return data && data.length >= 2 ? data[0]! * 256 + data[1]! : null
}
