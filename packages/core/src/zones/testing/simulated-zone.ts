import type { Ds, ZoneAction, ZoneObservation } from '../zone-states.ts'

/** A simulation of a zone, its parent and everything that resolvers may remember of both; times in milliseconds. */
export const TTL_SECONDS = 300
export const DS_TTL_SECONDS = 600
const SERVERS = 2
/** How much longer than its TTL an answer may be remembered: it travelled, and seconds are counted whole. */
const LATE_MS = 4_000

type Version = { readonly ds: readonly Ds[]; readonly from: number; to: number }

/** One server's versions: of a zone the keys that it has and signs with, of a parent the DS set. */
type History = Version[]

export class SimulatedZone {
  readonly #zone: History[] = histories()
  readonly #parent: History[] = histories()
  #keys: readonly Ds[] = []
  #nextKey = 1

  /** Does what is asked, seen at each server after its own delay. */
  act(action: ZoneAction, ds: readonly Ds[], now: number, delays: readonly number[]): void {
    switch (action) {
      case 'sign':
        if (this.#keys.length === 0) this.#show([this.#newKey()], now, delays)
        break
      case 'add-key':
        if (this.#keys.length === 1) this.#show([...this.#keys, this.#newKey()], now, delays)
        break
      case 'remove-key':
        this.#show(
          this.#keys.filter((key) => !ds.some((gone) => gone.keyTag === key.keyTag)),
          now,
          delays,
        )
        break
      case 'unsign':
        this.#show([], now, delays)
        break
      case 'publish-ds':
        spread(this.#parent, ds, now, delays)
        break
      case 'withdraw-ds':
        spread(this.#parent, [], now, delays)
    }
  }

  observe(now: number, silent: readonly boolean[]): ZoneObservation {
    const at = (history: History) => history.findLast(({ from }) => from <= now)!.ds
    return {
      zone: this.#zone.map((history, i) =>
        silent[i]
          ? { server: `zone-${i}`, failure: 'timeout' }
          : {
              server: `zone-${i}`,
              keys: at(history).map((ds) => ({ ds, signsKeys: true })),
              signedBy: at(history).map((ds) => ds.algorithm),
            },
      ),
      parent: this.#parent.map((history, i) =>
        silent[SERVERS + i]
          ? { server: `parent-${i}`, failure: 'timeout' }
          : {
              server: `parent-${i}`,
              ds: at(history),
              ttlSeconds: at(history).length === 0 ? 0 : DS_TTL_SECONDS,
            },
      ),
      maxTtlSeconds: TTL_SECONDS,
      fromRoot: verdict(at(this.#parent[0]!), at(this.#zone[0]!), at(this.#zone[0]!)),
    }
  }

  /** The moments at which some resolver, with whatever it may still remember, refuses the zone. */
  refusals(since: number, until: number): number[] {
    const changes = [...this.#zone, ...this.#parent].flat().map(({ from }) => from)
    return [...changes.filter((at) => since < at && at < until), until].filter((at) => this.#isRefused(at))
  }

  #isRefused(now: number): boolean {
    const remembered = (all: History[], ttlSeconds: number) =>
      all.flat().filter(({ from, to }) => from <= now && now < to + ttlSeconds * 1000 + LATE_MS)
    const zones = remembered(this.#zone, TTL_SECONDS)
    return remembered(this.#parent, DS_TTL_SECONDS).some(({ ds }) =>
      zones.some(({ ds: keys }) => zones.some(({ ds: signers }) => verdict(ds, keys, signers) === 'bogus')),
    )
  }

  #newKey(): Ds {
    const keyTag = this.#nextKey++
    return { keyTag, algorithm: 13, digestType: 2, digest: keyTag.toString(16).padStart(64, '0') }
  }

  #show(keys: readonly Ds[], now: number, delays: readonly number[]): void {
    this.#keys = keys
    spread(this.#zone, keys, now, delays)
  }
}

function histories(): History[] {
  return Array.from({ length: SERVERS }, () => [{ ds: [], from: 0, to: Infinity }])
}

/** Whoever changes later also shows later, as a zone transfer would. */
function spread(all: History[], ds: readonly Ds[], now: number, delays: readonly number[]): void {
  all.forEach((history, i) => {
    const last = history.at(-1)!
    const from = Math.max(now + delays[i]!, last.from + 1)
    last.to = from
    history.push({ ds, from, to: Infinity })
  })
}

/** DS, DNSKEY RRset and a signed RRset, each perhaps from another time (RFC 4035 §5). */
function verdict(ds: readonly Ds[], keys: readonly Ds[], signers: readonly Ds[]) {
  if (ds.length === 0) return 'insecure'
  const has = (set: readonly Ds[]) => (key: Ds) => set.some(({ keyTag }) => keyTag === key.keyTag)
  return keys.some(has(ds)) && signers.some(has(keys)) ? 'secure' : 'bogus'
}
