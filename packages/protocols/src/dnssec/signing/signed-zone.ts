import { CLASS, TYPE } from '../../dns/codes.ts'
import type { ResourceRecord } from '../../dns/message.ts'
import { canonicalName, compareNames, isAtOrBelow, type Name, parentOf } from '../../dns/names.ts'
import { decodeSoa } from '../../dns/rdata.ts'
import { type SignatureWindow, signRrset, type ZoneKey } from './sign-rrset.ts'

/** How the zone signs now. `id` changes whenever signatures made before must not be used any more. */
export type SigningPolicy = SignatureWindow & {
  id: string
  /** The keys that sign RRsets of this type; none leaves them unsigned. */
  keysFor: (type: number) => readonly ZoneKey[]
}

export type Nsec3Settings = { iterations: number; salt: Uint8Array; optOut: boolean }

export type ZoneSettings = {
  apex: Name
  policy: () => SigningPolicy
  denial: 'nsec' | Nsec3Settings
}

type Node = { name: Name; sets: Map<number, StoredSet> }
type StoredSet = {
  records: [ResourceRecord, ...ResourceRecord[]]
  signed?: { policyId: string; signatures: ResourceRecord[] }
}

/**
 * The data of one zone. Signatures are made when an RRset is first asked for, and again when the policy changes, so
 * that writing one name costs the same in a large zone as in a small one.
 */
export class SignedZone {
  readonly apex: Name
  readonly denial: 'nsec' | Nsec3Settings
  readonly #policy: () => SigningPolicy
  readonly #nodes = new Map<Name, Node>()
  /** How many nodes are at or below each existing name: an empty non-terminal has some, too. */
  readonly #population = new Map<Name, number>()
  /** The names of all nodes in canonical order. */
  readonly #order: Name[] = []
  #version = 0

  constructor({ apex, policy, denial }: ZoneSettings) {
    this.apex = canonicalName(apex)
    this.denial = denial
    this.#policy = policy
  }

  /** Rises with every change of the data. */
  get version(): number {
    return this.#version
  }

  /** Replaces the RRset; no RDATA removes it. */
  set(owner: Name, type: number, ttl: number, rdatas: readonly Uint8Array[]): void {
    const name = canonicalName(owner)
    if (!isAtOrBelow(name, this.apex)) throw new RangeError(`${name} is not in the zone ${this.apex}`)
    this.#version += 1
    const [first, ...rest] = rdatas.map((rdata) => ({ name, type, class: CLASS.IN, ttl, rdata }))
    if (first) this.#nodeFor(name).sets.set(type, { records: [first, ...rest] })
    else this.#removeSet(name, type)
  }

  records(owner: Name, type: number): readonly ResourceRecord[] {
    return this.#nodes.get(canonicalName(owner))?.sets.get(type)?.records ?? []
  }

  signatures(owner: Name, type: number): readonly ResourceRecord[] {
    const stored = this.#nodes.get(canonicalName(owner))?.sets.get(type)
    if (!stored || !this.#isSigned(stored.records[0].name, type)) return []
    const policy = this.#policy()
    if (stored.signed?.policyId !== policy.id) {
      stored.signed = { policyId: policy.id, signatures: this.sign(stored.records) }
    }
    return stored.signed.signatures
  }

  /** Signs records that are made for one answer, such as NSEC. */
  sign(records: readonly [ResourceRecord, ...ResourceRecord[]]): ResourceRecord[] {
    const policy = this.#policy()
    return policy.keysFor(records[0].type).map((key) => signRrset(records, this.apex, key, policy))
  }

  /** The types at a node; empty for names that do not exist and for empty non-terminals. */
  types(owner: Name): number[] {
    return [...(this.#nodes.get(canonicalName(owner))?.sets.keys() ?? [])]
  }

  /** Whether the name, or something below it, has data. */
  exists(owner: Name): boolean {
    return this.#population.has(canonicalName(owner))
  }

  /** The delegation at or above `name` and below the apex, or null (RFC 1034 §4.2.1). */
  cutAbove(name: Name): Name | null {
    let cut: Name | null = null
    for (let at: Name | null = canonicalName(name); at !== null && at !== this.apex; at = parentOf(at)) {
      if (this.#nodes.get(at)?.sets.has(TYPE.NS)) cut = at
    }
    return cut
  }

  isDelegation(name: Name): boolean {
    return this.cutAbove(name) === canonicalName(name)
  }

  /** All names of the zone in canonical order, without glue, which belongs to the children. */
  authoritativeNames(): Name[] {
    return this.#order.filter((name) => this.#isOurs(name))
  }

  /** All existing names, the empty non-terminals included, without glue. */
  existingNames(): Name[] {
    return [...this.#population.keys()].filter((name) => this.#isOurs(name))
  }

  /** The last name of the zone that sorts before or at `name`. */
  nameAtOrBefore(name: Name): Name {
    let index = this.#firstAfter(canonicalName(name)) - 1
    while (index > 0 && !this.#isOurs(this.#order[index]!)) index -= 1
    return this.#order[index] ?? this.apex
  }

  /** The next name of the zone, or the apex after the last. */
  nameAfter(name: Name): Name {
    let index = this.#firstAfter(canonicalName(name))
    while (index < this.#order.length && !this.#isOurs(this.#order[index]!)) index += 1
    return this.#order[index] ?? this.apex
  }

  /** How long a denial may be kept (RFC 2308 §5, RFC 9077 §3.1). */
  get negativeTtl(): number {
    const [soa] = this.records(this.apex, TYPE.SOA)
    return soa ? Math.min(soa.ttl, decodeSoa(soa.rdata).minimum) : 0
  }

  /** RFC 4035 §2.2: neither the NS of a delegation nor glue is signed; its DS is. */
  #isSigned(name: Name, type: number): boolean {
    const cut = this.cutAbove(name)
    return cut === null || (cut === name && type === TYPE.DS)
  }

  #isOurs(name: Name): boolean {
    const cut = this.cutAbove(name)
    return cut === null || cut === name
  }

  #nodeFor(name: Name): Node {
    const known = this.#nodes.get(name)
    if (known) return known
    const node = { name, sets: new Map<number, StoredSet>() }
    this.#nodes.set(name, node)
    this.#order.splice(this.#firstAfter(name), 0, name)
    this.#count(name, 1)
    return node
  }

  #removeSet(name: Name, type: number): void {
    const node = this.#nodes.get(name)
    if (!node?.sets.delete(type) || node.sets.size > 0) return
    this.#nodes.delete(name)
    this.#order.splice(this.#firstAfter(name) - 1, 1)
    this.#count(name, -1)
  }

  #count(name: Name, change: 1 | -1): void {
    for (let at: Name | null = name; at !== null && isAtOrBelow(at, this.apex); at = parentOf(at)) {
      const population = (this.#population.get(at) ?? 0) + change
      if (population === 0) this.#population.delete(at)
      else this.#population.set(at, population)
    }
  }

  #firstAfter(name: Name): number {
    let low = 0
    let high = this.#order.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareNames(this.#order[middle]!, name) <= 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
