import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type ChainedEntry,
  chainEntry,
  type EntryContent,
  GENESIS_HASH,
  LANES,
  laneOf,
  verifyChain,
} from './journal.ts'

// Made by another program: SHA-256 of the documented array.
const FIRST_HASH = 'daa8cf2d47fe1dec389c35a80b6ddcd19ff8ac2741b13c38cbb76d6fba3631b5'
const SECOND_HASH = '206f96aef5340ae7dd3e4566408de9432f970f79d630531a2b4920f889f07743'

const content = (kind: string): Omit<EntryContent, 'seq'> => ({
  stream: 'name',
  entityId: 'alice@shop.test',
  kind,
  data: { amountMsat: '21000' },
  actor: 'system',
  at: 1_700_000_000_000,
})

function chain(...kinds: string[]): ChainedEntry[] {
  const entries: ChainedEntry[] = []
  for (const kind of kinds) entries.push(chainEntry(content(kind), entries.at(-1) ?? null))
  return entries
}

describe('the hash chain', () => {
  test('has a fixed encoding: these hashes must never change', () => {
    expect(chain('name.claimed', 'name.activated')).toMatchObject([
      { seq: 1n, prevHash: GENESIS_HASH, hash: FIRST_HASH },
      { seq: 2n, prevHash: FIRST_HASH, hash: SECOND_HASH },
    ])
  })

  test('of untouched entries is intact', () => {
    const entries = chain('a', 'b', 'c')
    expect(verifyChain(entries)).toEqual({ intact: true, entries: 3, head: entries[2]!.hash })
    expect(verifyChain([])).toEqual({ intact: true, entries: 0, head: GENESIS_HASH })
  })

  test.each<[string, (entries: ChainedEntry[]) => ChainedEntry[], bigint, string]>([
    ['a removed entry', ([a, , c]) => [a!, c!], 3n, 'missing-entry'],
    ['a removed first entry', ([, b]) => [b!], 2n, 'missing-entry'],
    ['swapped entries', ([a, b, c]) => [a!, c!, b!], 3n, 'missing-entry'],
    [
      'an entry of another entity',
      ([a, b]) => [a!, { ...b!, entityId: 'bob@shop.test' }],
      2n,
      'other-entity',
    ],
    ['an entry of another stream', ([a, b]) => [a!, { ...b!, stream: 'payment' }], 2n, 'other-entity'],
    [
      'an entry that was rewritten with a hash of its own',
      ([a, b, c]) => [a!, chainEntry({ ...b!, kind: 'forged' }, a!), c!],
      3n,
      'link-broken',
    ],
  ])('%s is found', (_what, tamper, seq, fault) => {
    expect(verifyChain(tamper(chain('a', 'b', 'c')))).toEqual({ intact: false, seq, fault })
  })

  test.each<[string, Partial<ChainedEntry>]>([
    ['kind', { kind: 'forged' }],
    ['data', { data: { amountMsat: '21001' } }],
    ['actor', { actor: 'node' }],
    ['time', { at: 1 }],
    ['hash', { hash: 'f'.repeat(64) }],
  ])('a changed %s is found', (_field, change) => {
    const [a, b, c] = chain('a', 'b', 'c')
    expect(verifyChain([a!, { ...b!, ...change }, c!])).toEqual({
      intact: false,
      seq: 2n,
      fault: 'content-changed',
    })
  })

  test('any change of any one entry is found', () => {
    const field = fc.constantFrom('kind', 'actor', 'stream', 'entityId', 'hash', 'prevHash')
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(), field, fc.string(), (length, at, name, text) => {
        const entries = chain(...Array.from({ length }, (_, index) => `kind-${index}`))
        const index = at % length
        fc.pre(entries[index]![name as 'kind'] !== text)
        entries[index] = { ...entries[index]!, [name]: text } as ChainedEntry
        expect(verifyChain(entries).intact).toBe(false)
      }),
    )
  })
})

describe('lanes', () => {
  test('an entity stays in its lane', () => {
    expect(['alice@shop.test', 'bob@shop.test', ''].map(laneOf)).toEqual([3, 0, 3])
  })

  test('entities are spread over all lanes', () => {
    const lanes = new Set(Array.from({ length: 200 }, (_, index) => laneOf(`entity-${index}`)))
    expect([...lanes].sort()).toEqual(Array.from({ length: LANES }, (_, lane) => lane))
  })
})
