import { cutIntoCharacterStrings } from '@holdfast/protocols/dns/character-strings'
import { TYPE } from '@holdfast/protocols/dns/codes'
import { canonicalName, isAtOrBelow, type Name, nameToWire, parseName } from '@holdfast/protocols/dns/names'
import { encodeDnskey, encodeDs, encodeSoa, encodeTxt } from '@holdfast/protocols/dns/rdata'
import { DnsWireError } from '@holdfast/protocols/dns/wire-error'
import { makeDs } from '@holdfast/protocols/dnssec/keys'
import type { ZoneKey } from '@holdfast/protocols/dnssec/signing/sign-rrset'
import { SignedZone, type SigningPolicy } from '@holdfast/protocols/dnssec/signing/signed-zone'
import { SignedDnsError } from './signed-dns-error.ts'
import { currentWindow, expiredWindow } from './signing-clock.ts'
import { makeImpostorKey } from './zone-key.ts'
import type { PublishedRecord, ZoneStore } from './zone-store.ts'

/** Ways to break a zone for tests. */
export type SigningFault = 'unsigned' | 'expired' | 'wrong-key'

const INFRASTRUCTURE_TTL_SECONDS = 3600
/** Short, so that a name that was asked for too early is seen soon after it is published. */
const NEGATIVE_TTL_SECONDS = 5
const SHA256_DIGEST = 2
/** Leaves room for the rest of a 64 KB message. */
const MAX_VALUE_BYTES = 60_000

type WaitingChange = {
  readonly name: Name
  /** Given what is there, says what shall be; null is no record, the same object no change. Throws when refused. */
  decide(there: PublishedRecord | null): PublishedRecord | null
  resolve(): void
  reject(error: unknown): void
}

/** One zone of the tree: its signed data, its durable records, and the faults that were injected. */
export class ServedZone {
  readonly apex: Name
  readonly signed: SignedZone
  readonly key: ZoneKey
  readonly #impostor: ZoneKey
  readonly #store: ZoneStore
  readonly #nowMs: () => number
  /** What the disk holds and the server answers. */
  readonly #published = new Map<Name, PublishedRecord>()
  #serial: number
  /** Changes that wait for the write under way to end. */
  #waiting: WaitingChange[] = []
  #writing: Promise<void> | null = null
  #fault: SigningFault | null = null
  #faults = 0

  constructor(settings: {
    apex: Name
    address: Uint8Array
    key: ZoneKey
    store: ZoneStore
    nowMs: () => number
  }) {
    const { apex, address, key, store, nowMs } = settings
    this.apex = apex
    this.key = key
    this.#impostor = makeImpostorKey(key)
    this.#store = store
    this.#nowMs = nowMs
    this.signed = new SignedZone({ apex, denial: 'nsec', policy: () => this.#policy() })
    const server = serverOf(apex)
    this.signed.set(apex, TYPE.NS, INFRASTRUCTURE_TTL_SECONDS, [nameToWire(server)])
    this.signed.set(server, TYPE.A, INFRASTRUCTURE_TTL_SECONDS, [address])
    this.signed.set(apex, TYPE.DNSKEY, INFRASTRUCTURE_TTL_SECONDS, [encodeDnskey(key.dnskey)])
    const state = store.load()
    this.#serial = state.serial
    this.#show(new Map(state.records.map((record) => [record.name, record])))
  }

  /** Adds the delegation to a child zone that we sign ourselves. */
  delegateTo(child: ServedZone): void {
    const ds = encodeDs(makeDs(child.apex, child.key.dnskey, SHA256_DIGEST))
    this.signed.set(child.apex, TYPE.NS, INFRASTRUCTURE_TTL_SECONDS, [nameToWire(serverOf(child.apex))])
    this.signed.set(child.apex, TYPE.DS, INFRASTRUCTURE_TTL_SECONDS, [ds])
  }

  /**
   * Resolves when the record is on disk and answered; `replaces` is the other value that may give way to it.
   * @throws SignedDnsError; RangeError for a value too long
   */
  async publish(record: PublishedRecord, replaces = record.value): Promise<void> {
    const name = this.#ownName(record.name)
    encodeText(record.value)
    await this.#change(name, (there) => {
      if (there && there.value !== record.value && there.value !== replaces) {
        throw new SignedDnsError('conflict', `another value is published at ${name}`)
      }
      const isThere = there?.value === record.value && there.ttlSeconds === record.ttlSeconds
      return isThere ? there : { ...record, name }
    })
  }

  /** Resolves when this value is gone, on disk and in answers; another one stays. @throws SignedDnsError */
  async withdraw(record: { readonly name: string; readonly value: string }): Promise<void> {
    await this.#change(this.#ownName(record.name), (there) => (there?.value === record.value ? null : there))
  }

  /** What is on disk and answered now. */
  published(): readonly PublishedRecord[] {
    return [...this.#published.values()]
  }

  injectFault(fault: SigningFault | null): void {
    this.#fault = fault
    this.#faults += 1
  }

  /** Ends when nothing waits to be written. */
  async settled(): Promise<void> {
    while (this.#writing) await this.#writing
  }

  #policy(): SigningPolicy {
    const now = this.#nowMs()
    const window = currentWindow(now)
    const keys = this.#fault === 'unsigned' ? [] : [this.#fault === 'wrong-key' ? this.#impostor : this.key]
    return {
      ...(this.#fault === 'expired' ? expiredWindow(now) : window),
      id: `${window.id} ${this.#faults}`,
      keysFor: () => keys,
    }
  }

  #ownName(text: string): Name {
    let name: Name
    try {
      name = canonicalName(parseName(text))
    } catch (cause) {
      if (!(cause instanceof DnsWireError)) throw cause
      throw new SignedDnsError('not-this-zone', `${text} is no domain name`, { cause })
    }
    const taken = name === this.apex || name === serverOf(this.apex)
    if (taken || !isAtOrBelow(name, this.apex) || this.signed.cutAbove(name) !== null) {
      throw new SignedDnsError('not-this-zone', `records cannot be published at ${name} in ${this.apex}`)
    }
    return name
  }

  #change(name: Name, decide: WaitingChange['decide']): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ name, decide, resolve, reject })
      this.#writing ??= this.#writeAll()
    })
  }

  /** One write at a time; it serves all the changes that came in before it began. Nobody is answered before it ends. */
  async #writeAll(): Promise<void> {
    // What is asked for in the same turn goes into the same write.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      const { changed, answers } = decideAll(batch, this.#published)
      try {
        if (changed.size > 0) await this.#commit(changed)
        for (const answer of answers) answer()
      } catch (cause) {
        const error = new SignedDnsError('unavailable', `the zone ${this.apex} could not be written`, {
          cause,
        })
        for (const { reject } of batch) reject(error)
      }
    }
    this.#writing = null
  }

  /** Durable first, visible second. */
  async #commit(changed: ReadonlyMap<Name, PublishedRecord | null>): Promise<void> {
    const serial = this.#serial + 1
    const set = [...changed.values()].filter((record) => record !== null)
    const unset = [...changed].filter(([, record]) => record === null).map(([name]) => name)
    await this.#store.save({ serial, set, unset }, () => {
      const kept = [...this.#published.values()].filter(({ name }) => !changed.has(name))
      return { serial, records: [...kept, ...set] }
    })
    this.#serial = serial
    this.#show(changed)
  }

  #show(changed: ReadonlyMap<Name, PublishedRecord | null>): void {
    for (const [name, record] of changed) {
      if (record === null) this.#published.delete(name)
      else this.#published.set(name, record)
      const texts = record === null ? [] : [encodeText(record.value)]
      this.signed.set(name, TYPE.TXT, record?.ttlSeconds ?? 0, texts)
    }
    this.signed.set(this.apex, TYPE.SOA, INFRASTRUCTURE_TTL_SECONDS, [this.#soa()])
  }

  #soa(): Uint8Array {
    return encodeSoa({
      primary: serverOf(this.apex),
      mailbox: below('hostmaster', this.apex),
      serial: this.#serial % 2 ** 32,
      refresh: 3600,
      retry: 600,
      expire: 604_800,
      minimum: NEGATIVE_TTL_SECONDS,
    })
  }
}

/** Lets each change decide on what those before it leave; none is answered before all of that is on disk. */
function decideAll(batch: readonly WaitingChange[], published: ReadonlyMap<Name, PublishedRecord>) {
  const changed = new Map<Name, PublishedRecord | null>()
  const answers = batch.map(({ name, decide, resolve, reject }) => {
    const there = changed.has(name) ? (changed.get(name) ?? null) : (published.get(name) ?? null)
    try {
      const next = decide(there)
      if (next !== there) changed.set(name, next)
      return resolve
    } catch (error) {
      return () => reject(error)
    }
  })
  return { changed, answers }
}

function serverOf(apex: Name): Name {
  return below('ns', apex)
}

function below(label: string, apex: Name): Name {
  return apex === '.' ? `${label}.` : `${label}.${apex}`
}

/** BIP-353: one TXT RR, its value cut into strings of at most 255 bytes. */
function encodeText(value: string): Uint8Array {
  if (Buffer.byteLength(value) > MAX_VALUE_BYTES)
    throw new RangeError(`a TXT value has at most ${MAX_VALUE_BYTES} bytes`)
  return encodeTxt(cutIntoCharacterStrings(value))
}
