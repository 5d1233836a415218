import { base32hexnopad } from '@scure/base'
import { CLASS, TYPE } from '../../dns/codes.ts'
import type { ResourceRecord } from '../../dns/message.ts'
import {
  canonicalName,
  compareBytes,
  labelCount,
  labelsOf,
  type Name,
  nameFromLabels,
  parentOf,
  rightmostLabels,
  wildcardOf,
} from '../../dns/names.ts'
import { encodeNsec, encodeNsec3 } from '../../dns/rdata.ts'
import { nsec3Hash } from '../denial-nsec3.ts'
import type { Nsec3Settings, SignedZone } from './signed-zone.ts'

/** The longest existing ancestor of a name that does not exist. */
export function closestEncloser(zone: SignedZone, name: Name): Name {
  let candidate: Name = canonicalName(name)
  while (candidate !== zone.apex && !zone.exists(candidate)) candidate = parentOf(candidate)!
  return candidate
}

/** The records that prove what a negative or wildcard answer claims (RFC 4035 §3.1.3, RFC 5155 §7.2). */
export const denialOf = {
  /** `name` exists, or is an empty non-terminal, without the type that was asked for. */
  nodata(zone: SignedZone, name: Name): ResourceRecord[] {
    if (zone.denial === 'nsec') return nsecsFor(zone, [name])
    const table = nsec3Table(zone, zone.denial)
    // RFC 5155 §7.2.4: an unsigned delegation that opt-out leaves out is covered instead.
    return table.has(name) ? table.records([{ match: name }]) : table.records(enclosure(zone, name, table))
  },

  nxdomain(zone: SignedZone, name: Name): ResourceRecord[] {
    const wildcard = wildcardOf(closestEncloser(zone, name))
    if (zone.denial === 'nsec') return nsecsFor(zone, [name, wildcard])
    const table = nsec3Table(zone, zone.denial)
    return table.records([...enclosure(zone, name, table), { cover: wildcard }])
  },

  /** The wildcard that stands for `name` lacks the type. */
  wildcardNodata(zone: SignedZone, name: Name): ResourceRecord[] {
    const wildcard = wildcardOf(closestEncloser(zone, name))
    if (zone.denial === 'nsec') return nsecsFor(zone, [name, wildcard])
    const table = nsec3Table(zone, zone.denial)
    return table.records([...enclosure(zone, name, table), { match: wildcard }])
  },

  /** A wildcard was expanded for `name`, which does not exist itself. */
  wildcardAnswer(zone: SignedZone, name: Name): ResourceRecord[] {
    if (zone.denial === 'nsec') return nsecsFor(zone, [name])
    const table = nsec3Table(zone, zone.denial)
    return table.records(enclosure(zone, name, table).filter((wanted) => 'cover' in wanted))
  },
}

/** The NSEC that matches or covers each name, each once, with its signatures. */
function nsecsFor(zone: SignedZone, names: readonly Name[]): ResourceRecord[] {
  const owners = new Set(names.map((name) => zone.nameAtOrBefore(name)))
  return [...owners].flatMap((owner) => {
    const types = [...typesToList(zone, owner), TYPE.NSEC, TYPE.RRSIG]
    const rdata = encodeNsec({ next: zone.nameAfter(owner), types })
    return withSignatures(zone, {
      name: owner,
      type: TYPE.NSEC,
      class: CLASS.IN,
      ttl: zone.negativeTtl,
      rdata,
    })
  })
}

/** At a delegation only what is the parent's (RFC 4034 §4.1.2). */
function typesToList(zone: SignedZone, name: Name): number[] {
  const types = zone.types(name)
  return zone.isDelegation(name) ? types.filter((type) => type === TYPE.NS || type === TYPE.DS) : types
}

function withSignatures(zone: SignedZone, record: ResourceRecord): ResourceRecord[] {
  return [record, ...zone.sign([record])]
}

type Wanted = { match: Name } | { cover: Name }

/** RFC 5155 §7.2.1: the closest provable encloser matched, the next closer name covered. */
function enclosure(zone: SignedZone, name: Name, table: Nsec3Table): Wanted[] {
  let encloser = parentOf(canonicalName(name)) ?? zone.apex
  while (encloser !== zone.apex && !table.has(encloser)) encloser = parentOf(encloser)!
  return [{ match: encloser }, { cover: rightmostLabels(name, labelCount(encloser) + 1) }]
}

type Nsec3Table = { has(name: Name): boolean; records(wanted: readonly Wanted[]): ResourceRecord[] }
type Hashed = { name: Name; hash: Uint8Array }

const tables = new WeakMap<SignedZone, { version: number; sorted: Hashed[] }>()

function nsec3Table(zone: SignedZone, settings: Nsec3Settings): Nsec3Table {
  const { iterations, salt, optOut } = settings
  const hashOf = (name: Name) => nsec3Hash(name, salt, iterations)
  const known = tables.get(zone)
  const sorted = known?.version === zone.version ? known.sorted : sortByHash(zone, hashOf, optOut)
  tables.set(zone, { version: zone.version, sorted })

  const indexAtOrBefore = (hash: Uint8Array) => {
    const index = sorted.findLastIndex((entry) => compareBytes(entry.hash, hash) <= 0)
    return index < 0 ? sorted.length - 1 : index
  }
  const recordAt = (index: number): ResourceRecord[] => {
    const { name, hash } = sorted[index]!
    const { hash: nextHashedOwner } = sorted[(index + 1) % sorted.length]!
    const types = typesToList(zone, name)
    const isSigned = types.length > 0 && !(zone.isDelegation(name) && !types.includes(TYPE.DS))
    const rdata = encodeNsec3({
      hashAlgorithm: 1,
      flags: optOut ? 1 : 0,
      iterations,
      salt,
      nextHashedOwner,
      types: isSigned ? [...types, TYPE.RRSIG] : types,
    })
    const label = new TextEncoder().encode(base32hexnopad.encode(hash).toLowerCase())
    const owner = nameFromLabels([label, ...labelsOf(zone.apex)])
    return withSignatures(zone, {
      name: owner,
      type: TYPE.NSEC3,
      class: CLASS.IN,
      ttl: zone.negativeTtl,
      rdata,
    })
  }
  return {
    has: (name) => sorted.some((entry) => entry.name === canonicalName(name)),
    records: (wanted) => {
      const indexes = new Set(
        wanted.map((one) => indexAtOrBefore(hashOf('match' in one ? one.match : one.cover))),
      )
      return [...indexes].flatMap(recordAt)
    },
  }
}

function sortByHash(zone: SignedZone, hashOf: (name: Name) => Uint8Array, optOut: boolean): Hashed[] {
  const isLeftOut = (name: Name) => optOut && zone.isDelegation(name) && !zone.types(name).includes(TYPE.DS)
  return zone
    .existingNames()
    .filter((name) => !isLeftOut(name))
    .map((name) => ({ name, hash: hashOf(name) }))
    .sort((a, b) => compareBytes(a.hash, b.hash))
}
