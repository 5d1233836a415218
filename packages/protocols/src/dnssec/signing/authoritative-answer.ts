import { CLASS, RCODE, TYPE } from '../../dns/codes.ts'
import type { Question, ResourceRecord } from '../../dns/message.ts'
import {
  isAtOrBelow,
  labelCount,
  labelsOf,
  type Name,
  nameFromLabels,
  nameToWire,
  parentOf,
  sameName,
  wildcardOf,
} from '../../dns/names.ts'
import { decodeNameRdata } from '../../dns/rdata.ts'
import { DnsWireError } from '../../dns/wire-error.ts'
import type { SignedZone } from './signed-zone.ts'
import { closestEncloser, denialOf } from './zone-denial.ts'

export type Answer = {
  rcode: number
  authoritative: boolean
  answer: ResourceRecord[]
  authority: ResourceRecord[]
  additional: ResourceRecord[]
}

const MAX_ALIASES = 8

/**
 * What a server that is authoritative for all of `zones` answers (RFC 1034 §4.3.2, RFC 4035 §3.1). Aliases are
 * followed as far as the zones reach.
 */
export function answerQuestion(zones: readonly SignedZone[], question: Question, dnssecOk: boolean): Answer {
  const out: Answer = { rcode: RCODE.NOERROR, authoritative: true, answer: [], authority: [], additional: [] }
  let name = question.name
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases++) {
    const zone = zoneFor(zones, name, question.type)
    if (!zone) {
      // RFC 1034 §4.3.2 step 1: not our zone; the end of an alias that leads away is no error.
      return aliases > 0 ? out : { ...out, rcode: RCODE.REFUSED, authoritative: false }
    }
    const target = answerFrom(zone, name, question.type, dnssecOk, out)
    if (
      target === null ||
      out.answer.some((record) => record.type !== TYPE.DNAME && sameName(record.name, target))
    ) {
      return out
    }
    name = target
  }
  return out
}

/** The deepest zone that holds the name; the DS of a zone is in the zone above it (RFC 4035 §3.1.4.1). */
function zoneFor(zones: readonly SignedZone[], name: Name, type: number): SignedZone | undefined {
  const above = zones
    .filter((zone) => isAtOrBelow(name, zone.apex))
    .sort((a, b) => labelCount(b.apex) - labelCount(a.apex))
  const [deepest, next] = above
  return type === TYPE.DS && deepest && next && sameName(deepest.apex, name) ? next : deepest
}

/** Adds to `out` what `zone` says; gives back where an alias leads, or null when this was the end. */
function answerFrom(zone: SignedZone, name: Name, type: number, dnssecOk: boolean, out: Answer): Name | null {
  const cut = zone.cutAbove(name)
  if (cut !== null && !(type === TYPE.DS && sameName(cut, name))) {
    refer(zone, cut, dnssecOk, out)
    return null
  }
  const dname = dnameAbove(zone, name)
  if (dname !== null) return followDname(zone, name, dname, dnssecOk, out)
  if (zone.exists(name)) return answerAt(zone, name, name, type, dnssecOk, out)
  const wildcard = wildcardOf(closestEncloser(zone, name))
  if (zone.exists(wildcard)) return answerAt(zone, name, wildcard, type, dnssecOk, out)
  out.rcode = RCODE.NXDOMAIN
  out.authority.push(...soaOf(zone, dnssecOk), ...(dnssecOk ? denialOf.nxdomain(zone, name) : []))
  return null
}

/** `owner` is where the data stands: at `name` itself, or at the wildcard that answers for it. */
function answerAt(
  zone: SignedZone,
  name: Name,
  owner: Name,
  type: number,
  dnssecOk: boolean,
  out: Answer,
): Name | null {
  const present = zone.types(owner)
  const isAlias = present.includes(TYPE.CNAME) && type !== TYPE.CNAME && type !== TYPE.ANY
  const wanted = type === TYPE.ANY ? present : present.filter((one) => one === (isAlias ? TYPE.CNAME : type))
  const fromWildcard = !sameName(owner, name)
  // It is made when it is asked for; to deny it would be to contradict the types that it lists.
  if (type === TYPE.NSEC && zone.denial === 'nsec' && present.length > 0 && !fromWildcard) {
    const own = denialOf.nodata(zone, name).filter((record) => dnssecOk || record.type === TYPE.NSEC)
    out.answer.push(...own.map((record) => ({ ...record, name })))
    return null
  }
  if (wanted.length === 0) {
    const denial = fromWildcard ? denialOf.wildcardNodata(zone, name) : denialOf.nodata(zone, name)
    out.authority.push(...soaOf(zone, dnssecOk), ...(dnssecOk ? denial : []))
    return null
  }
  for (const one of wanted) {
    out.answer.push(...signedSet(zone, owner, one, dnssecOk).map((record) => ({ ...record, name })))
  }
  if (fromWildcard && dnssecOk) out.authority.push(...denialOf.wildcardAnswer(zone, name))
  return isAlias ? decodeNameRdata(zone.records(owner, TYPE.CNAME)[0]!.rdata) : null
}

/** RFC 4035 §3.1.4: a referral carries the DS, or the proof that there is none. */
function refer(zone: SignedZone, cut: Name, dnssecOk: boolean, out: Answer): void {
  out.authoritative = out.answer.length > 0
  const servers = zone.records(cut, TYPE.NS)
  out.authority.push(...servers)
  if (dnssecOk) {
    const ds = signedSet(zone, cut, TYPE.DS, true)
    out.authority.push(...(ds.length > 0 ? ds : denialOf.nodata(zone, cut)))
  }
  for (const { rdata } of servers) {
    const server = decodeNameRdata(rdata)
    out.additional.push(...zone.records(server, TYPE.A), ...zone.records(server, TYPE.AAAA))
  }
}

function dnameAbove(zone: SignedZone, name: Name): Name | null {
  for (let at = parentOf(name); at !== null && isAtOrBelow(at, zone.apex); at = parentOf(at)) {
    if (zone.types(at).includes(TYPE.DNAME)) return at
  }
  return null
}

/** RFC 6672 §3.2: the DNAME, and for old clients the CNAME that it amounts to. */
function followDname(zone: SignedZone, name: Name, owner: Name, dnssecOk: boolean, out: Answer): Name | null {
  const [record] = zone.records(owner, TYPE.DNAME)
  out.answer.push(...signedSet(zone, owner, TYPE.DNAME, dnssecOk))
  const kept = labelsOf(name).slice(0, labelCount(name) - labelCount(owner))
  let target: Name
  try {
    target = nameFromLabels([...kept, ...labelsOf(decodeNameRdata(record!.rdata))])
  } catch (error) {
    if (!(error instanceof DnsWireError)) throw error
    out.rcode = RCODE.YXDOMAIN
    return null
  }
  out.answer.push({ name, type: TYPE.CNAME, class: CLASS.IN, ttl: record!.ttl, rdata: nameToWire(target) })
  return target
}

function soaOf(zone: SignedZone, dnssecOk: boolean): ResourceRecord[] {
  // RFC 2308 §3: the SOA of a negative answer carries the TTL of the denial.
  return signedSet(zone, zone.apex, TYPE.SOA, dnssecOk).map((record) => ({
    ...record,
    ttl: zone.negativeTtl,
  }))
}

function signedSet(zone: SignedZone, owner: Name, type: number, dnssecOk: boolean): ResourceRecord[] {
  return [...zone.records(owner, type), ...(dnssecOk ? zone.signatures(owner, type) : [])]
}
