import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Balance,
  BalanceSource,
  type ChainMonitor,
  type ChannelDetails,
  ChannelId,
  ClaimedHTLC,
} from 'lightningdevkit'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fromHex } from './bytes.ts'
import type { ConnectedBlock } from './chain-path.ts'
import type { NodeContext } from './context.ts'
import { HoldClaims } from './hold-claims.ts'
import { Store } from './store.ts'
import { loadWasm } from './wasm.ts'

const PREIMAGE = Buffer.alloc(32, 7)
const HASH = createHash('sha256').update(PREIMAGE).digest('hex')
const CHANNEL = 'c1'.repeat(32)
const OTHER_CHANNEL = 'c2'.repeat(32)

beforeAll(() => loadWasm())

let folder: string
let store: Store
let claims: HoldClaims
/** What LDK says. */
let open: string[] = []
let balances: Balance[] = []
let height = 100
/** What the chain has decided, newest last. */
let verdicts: string[] = []

const node = () =>
  ({
    store,
    manager: {
      list_channels: () =>
        open.map((id) => ({
          get_channel_id: () => ChannelId.constructor_new(fromHex(id)),
        })) as unknown as ChannelDetails[],
    },
  }) as unknown as NodeContext
const monitor = { get_claimable_balances: () => balances } as unknown as ChainMonitor
const restart = () => {
  claims = new HoldClaims(node(), monitor)
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-claims-'))
  store = new Store(folder)
  ;[open, balances, height, verdicts] = [[CHANNEL, OTHER_CHANNEL], [], 100, []]
  restart()
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

const claim = (...channels: string[]) =>
  claims.begin(
    HASH,
    channels.map((id) =>
      ClaimedHTLC.constructor_new(ChannelId.constructor_new(fromHex(id)), 0n, 500, 50_000_000n, 0n),
    ),
  )

const closing = () => Balance.constructor_claimable_on_channel_close(1n, 0n, 0n, 0n, 0n, 0n)
const contentious = () =>
  Balance.constructor_contentious_claimable(50_000n, 500, fromHex(HASH), new Uint8Array(32))
/** Of another hold of the same amount: what tells nothing of this one. */
const alike = () =>
  Balance.constructor_claimable_awaiting_confirmations(50_000n, 9_999, BalanceSource.LDKBalanceSource_Htlc)

/** A transaction that spends HTLCs with these witness items, in the form of BIP-144. */
function spending(...items: Uint8Array[]): { txid: string; raw: Uint8Array } {
  const raw = Buffer.concat([
    Buffer.from([2, 0, 0, 0, 0, 1, 1]),
    Buffer.alloc(36, 3),
    Buffer.from([0, 0, 0, 0, 0, 0]),
    Buffer.from([items.length]),
    ...items.flatMap((item) => [Buffer.from([item.length]), item]),
    Buffer.alloc(4),
  ])
  return { txid: createHash('sha256').update(raw).digest('hex'), raw }
}
const claiming = () => spending(Buffer.alloc(71, 1), PREIMAGE, Buffer.alloc(100, 2))
function ours(transaction: { txid: string; raw: Uint8Array }) {
  store.run('INSERT INTO broadcasts VALUES (?, ?, 1, NULL)', transaction.txid, transaction.raw)
  return transaction
}

function connect(now: Balance[], ...transactions: { txid: string; raw: Uint8Array }[]): void {
  balances = now
  const block = { height: ++height, transactions } as unknown as ConnectedBlock
  for (const [hash, verdict] of claims.blockConnected(block)) verdicts.push(`${hash === HASH} ${verdict}`)
}
const connectMany = (blocks: number, now: Balance[]) => {
  for (let block = 0; block < blocks; block++) connect(now)
}
const disconnect = () => claims.blockDisconnected({ height: height-- })

/** Of the form of `ChannelMonitorUpdate::write`; a step of kind 0 is our own commitment. */
function update(...steps: [kind: number, body: Uint8Array][]): Uint8Array {
  const number = Buffer.alloc(8)
  number.writeBigUInt64BE(BigInt(steps.length))
  const parts = steps.flatMap(([kind, body]) => [
    Buffer.from([kind, 0xfd, body.length >> 8, body.length]),
    body,
  ])
  return Buffer.concat([Buffer.from([1, 1]), Buffer.alloc(8, 9), number, ...parts, Buffer.from([0])])
}
const commitmentWith = (...hashes: string[]): [number, Uint8Array] => [
  0,
  Buffer.concat([Buffer.alloc(300, 5), ...hashes.map((hash) => Buffer.from(hash, 'hex'))]),
]
const updated = (channel: string, ...steps: [number, Uint8Array][]) =>
  claims.monitorUpdated(
    () => update(...steps),
    () => channel,
  )

describe('over an open channel a claim is final', () => {
  test('with the first commitment of ours that does not have its HTLC, and not before', () => {
    expect(claim(CHANNEL)).toBe('channel')
    updated(CHANNEL, [2, Buffer.alloc(60)], [1, Buffer.alloc(80)])
    updated(CHANNEL, commitmentWith('aa'.repeat(32), HASH))
    updated(OTHER_CHANNEL, commitmentWith())
    connectMany(20, [closing()])
    expect(claims.has(HASH)).toBe(true)
    updated(CHANNEL, [3, Buffer.alloc(40)], commitmentWith('aa'.repeat(32)))
    expect(claims.has(HASH)).toBe(false)
    expect(verdicts).toEqual([])
  })

  test('when each of its parts has left its channel, also after a restart', () => {
    claim(CHANNEL, OTHER_CHANNEL, CHANNEL)
    updated(CHANNEL, commitmentWith())
    restart()
    expect(claims.has(HASH)).toBe(true)
    updated(OTHER_CHANNEL, commitmentWith(HASH), commitmentWith())
    expect(claims.has(HASH)).toBe(false)
    restart()
    expect(claims.has(HASH)).toBe(false)
  })

  test('as far as is known: an update that is cut short is none', () => {
    claim(CHANNEL)
    const whole = update(commitmentWith())
    for (const end of [17, 20, 100])
      expect(() =>
        claims.monitorUpdated(
          () => whole.subarray(0, end),
          () => CHANNEL,
        ),
      ).toThrow(RangeError)
    expect(claims.has(HASH)).toBe(true)
  })
})

describe('once its channel is closed the chain decides about a claim', () => {
  beforeEach(() => {
    claim(CHANNEL)
    open = [OTHER_CHANNEL]
    connectMany(3, [closing()])
    expect(claims.has(HASH)).toBe(true)
  })
  const won = (blocksUntil: () => void) => {
    blocksUntil()
    connectMany(5, [alike()])
    expect(verdicts).toEqual([])
    connect([alike()])
    expect(verdicts).toEqual(['true won'])
    expect(claims.has(HASH)).toBe(false)
    connectMany(3, [])
    expect(verdicts).toEqual(['true won'])
  }

  test('it is won under seven blocks', () =>
    won(() => {
      connect([contentious()])
      connect([alike()], ours(claiming()))
    }))
  test('it is won, too, in the block of the commitment itself', () =>
    won(() => connect([alike()], ours(claiming()))))
  test('it is won when the commitment that came does not have the HTLC any more', () =>
    won(() => connect([])))

  test('it is lost when the peer took it, although others of its amount are won', () => {
    connectMany(8, [contentious(), alike()])
    expect(verdicts).toEqual([])
    connect([alike()])
    expect(verdicts).toEqual(['true lost'])
    expect(claims.has(HASH)).toBe(false)
  })

  test('nothing waits for another channel that is closing, once the commitment of its own is in a block', () => {
    connectMany(3, [closing()])
    expect(verdicts).toEqual([])
    connectMany(6, [contentious(), closing()])
    connect([closing()])
    expect(verdicts).toEqual(['true lost'])
  })
  test('nor is it won any later for that', () => {
    connect([contentious(), closing()])
    connect([alike(), closing()], ours(claiming()))
    connectMany(5, [alike(), closing()])
    expect(verdicts).toEqual([])
    connect([alike(), closing()])
    expect(verdicts).toEqual(['true won'])
  })

  test('it is lost as a whole when the peer took one of its parts, although the other is ours', () => {
    connect([contentious(), contentious()])
    connect([contentious(), alike()], ours(claiming()))
    connectMany(6, [contentious()])
    expect(verdicts).toEqual([])
    connect([])
    expect(verdicts).toEqual(['true lost'])
  })

  test('it is lost when the peer took it in the block of the commitment', () => {
    connectMany(6, [contentious()])
    connect([])
    expect(verdicts).toEqual(['true lost'])
  })

  test('whoever else shows the preimage, as the payee of a payout on the hash, wins nothing for us', () => {
    connect([contentious()], claiming())
    connectMany(2, [contentious()])
    connect([])
    expect(verdicts).toEqual(['true lost'])
  })

  test('what a block had decided is open again when it is undone, also after a restart', () => {
    connect([contentious()])
    connect([alike()], ours(claiming()))
    connectMany(3, [alike()])
    restart()
    for (let block = 0; block < 4; block++) disconnect()
    connectMany(3, [contentious()])
    connect([alike()], ours(spending(PREIMAGE)))
    connectMany(5, [alike()])
    expect(verdicts).toEqual([])
    connect([alike()])
    expect(verdicts).toEqual(['true won'])
  })

  test('another commitment may come after a reorganisation, without the HTLC', () => {
    connectMany(2, [contentious()])
    for (let block = 0; block < 2; block++) disconnect()
    connect([closing()])
    connectMany(7, [])
    expect(verdicts).toEqual(['true won'])
  })
})

test('a claim is lost as a whole with the part of a closed channel, whatever becomes of one in an open channel', () => {
  claim(CHANNEL, OTHER_CHANNEL)
  open = [OTHER_CHANNEL]
  connectMany(6, [contentious()])
  connect([])
  expect(verdicts).toEqual(['true lost'])
  updated(OTHER_CHANNEL, commitmentWith())
  connectMany(7, [])
  expect(verdicts).toEqual(['true lost'])
})

test('a claim with parts in two channels waits for both of their commitments', () => {
  claim(CHANNEL, OTHER_CHANNEL)
  open = []
  connectMany(6, [contentious(), closing()])
  connectMany(3, [closing()])
  expect(verdicts).toEqual([])
  connect([])
  expect(verdicts).toEqual(['true lost'])
})

test('a claim with a part in a channel that was closed before is the chain’s from the beginning', () => {
  open = [OTHER_CHANNEL]
  expect(claim(CHANNEL, OTHER_CHANNEL)).toBe('chain')
  connect([contentious()])
  connect([], ours(claiming()))
  connectMany(6, [])
  expect(verdicts).toEqual(['true won'])
  expect(claims.has(HASH)).toBe(true)
  connectMany(3, [])
  expect(verdicts).toEqual(['true won'])
  updated(OTHER_CHANNEL, commitmentWith())
  expect(claims.has(HASH)).toBe(false)
})
