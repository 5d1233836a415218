import { createHash } from 'node:crypto'
import { decodeInvoice } from '@holdfast/protocols/bolt11'
import type { EventTemplate } from '@holdfast/protocols/nip01'
import { finalizeEvent, verifyEvent } from 'nostr-tools/pure'
import { afterEach, expect, test } from 'vitest'
import { makeRelayPool } from '../nostr/relay-pool.ts'
import { startRelay } from '../nostr/testing/relay.ts'
import { makeZapReceipts } from '../nostr/zap-receipts.ts'
import { makeOutboundSockets } from '../outbound/outbound-socket.ts'
import { TEST_CERTIFICATE } from '../outbound/testing/test-certificate.ts'
import { Secret } from '../platform/secret.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { type AddressWorld, startAddressWorld } from './testing/address-world.ts'
import type { ZapReceipts } from './zaps.ts'

const database = withDatabase()
const SIGNER = 'fe'.repeat(32)
const RELAY = 'wss://relay.example'

let world: AddressWorld
afterEach(() => world.stop())

/** Stands for a pool of relays: keeps what it is given, and fails as often as it is told. */
function makeReceipts(
  failures = 0,
): ZapReceipts & { published: { receipt: EventTemplate; relays: readonly string[] }[] } {
  let left = failures
  const published: { receipt: EventTemplate; relays: readonly string[] }[] = []
  return {
    pubkey: SIGNER,
    published,
    async publish(receipt, relays) {
      if (left-- > 0) throw new Error('no relay took it')
      published.push({ receipt, relays })
    },
  }
}

function zapRequest(recipient: string, amount = '21000', relay = RELAY): string {
  const tags = [
    ['p', recipient],
    ['relays', relay],
    ['amount', amount],
  ]
  const template = { kind: 9734, content: 'Zap!', tags, created_at: 1_700_000_000 }
  return JSON.stringify(finalizeEvent(template, new Uint8Array(32).fill(5)))
}

test('a zap’s invoice commits to the request alone, and its receipt is published once it is paid', async () => {
  const zaps = makeReceipts(1)
  world = await startAddressWorld(database, { zaps, worker: true })
  const { json, callback, alice, node, received } = world
  expect(await json('/.well-known/lnurlp/alice')).toMatchObject({ allowsNostr: true, nostrPubkey: SIGNER })
  const raw = zapRequest(alice.owner)
  const { pr, verify } = await callback({ amount: '21000', nostr: raw, lnurl: 'lnurl1x' })
  const { paymentHash, description } = decodeInvoice(pr)
  expect(description).toEqual({ hash: createHash('sha256').update(raw).digest('hex') })
  expect((await received(alice)).invoices[0]).toMatchObject({ zap: true })
  node.pay(paymentHash, 21_000n)
  await json(new URL(verify).pathname)
  await expect.poll(() => zaps.published.length, { timeout: 15_000 }).toBe(1)
  const paidAt = (await received(alice)).invoices[0].paidAt
  expect(zaps.published).toEqual([
    {
      relays: [RELAY],
      receipt: expect.objectContaining({
        kind: 9735,
        created_at: Math.floor(paidAt / 1000),
        tags: expect.arrayContaining([
          ['p', alice.owner],
          ['bolt11', pr],
          ['description', raw],
        ]),
      }),
    },
  ])
})

test.each([
  ['for another key', (_owner: string) => zapRequest('ab'.repeat(32))],
  ['of another amount', (owner: string) => zapRequest(owner, '1')],
  ['that is none', () => '{}'],
])('a zap %s is refused', async (_, make) => {
  world = await startAddressWorld(database, { zaps: makeReceipts() })
  const { callback, alice, node } = world
  expect(await callback({ amount: '21000', nostr: make(alice.owner) })).toMatchObject({
    status: 'ERROR',
    code: 'ZAP_REQUEST_INVALID',
  })
  expect(node.made).toBe(0)
})

test('a payment that is no zap has no receipt', async () => {
  const zaps = makeReceipts()
  world = await startAddressWorld(database, { zaps })
  const { callback, node, json, slice } = world
  const { pr, verify } = await callback({ amount: '21000' })
  const { paymentHash } = decodeInvoice(pr)
  node.pay(paymentHash, 21_000n)
  await json(new URL(verify).pathname)
  await slice.tasks['lightning-address:publish-receipt']?.({ paymentHash }, {} as never)
  expect(zaps.published).toEqual([])
})

test('a receipt comes to a real relay, signed with the server’s own key', async () => {
  const relay = await startRelay()
  try {
    const key = new Secret('07'.repeat(32))
    const sockets = makeOutboundSockets({
      allowLoopback: true,
      lookup: async () => ['127.0.0.1'],
      ca: TEST_CERTIFICATE,
    })
    const zaps = makeZapReceipts({ key, relays: makeRelayPool({ sockets }) })
    world = await startAddressWorld(database, { zaps, worker: true })
    const { callback, alice, node, json } = world
    const raw = zapRequest(alice.owner, '21000', relay.url)
    const { pr, verify } = await callback({ amount: '21000', nostr: raw, lnurl: 'lnurl1x' })
    node.pay(decodeInvoice(pr).paymentHash, 21_000n)
    await json(new URL(verify).pathname)
    await expect.poll(() => relay.events.length, { timeout: 15_000 }).toBe(1)
    const [receipt] = relay.events
    expect(receipt).toMatchObject({ kind: 9735, pubkey: zaps.pubkey })
    expect(receipt?.tags).toContainEqual(['bolt11', pr])
    expect(verifyEvent(receipt as unknown as Parameters<typeof verifyEvent>[0])).toBe(true)
  } finally {
    await relay.stop()
  }
})
