import {
  ChannelId,
  type ChannelManager,
  Event,
  Option_ThirtyTwoBytesZ,
  Option_U128Z,
  Option_u32Z,
  PaymentPurpose,
  RecipientOnionFields,
  SocketAddress,
} from 'lightningdevkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { fromHex, toHex } from './bytes.ts'
import type { Holds } from './holds.ts'
import { type EventParts, handleEvent } from './ldk-events.ts'
import { loadWasm } from './wasm.ts'

const NODE_ID = `02${'11'.repeat(32)}`
const HASH = '22'.repeat(32)
const PREIMAGE = '33'.repeat(32)
const DEADLINE = 300

beforeAll(() => loadWasm())

/** Notes what the event leads to. */
function heardOf(event: Event): string[] {
  const done: string[] = []
  const holds: Pick<Holds, 'knows' | 'claimable'> = {
    knows: (hash) => hash === HASH,
    claimable: (hash, amountMsat, deadline) => done.push(`held ${hash} ${amountMsat} ${deadline}`),
  }
  const manager: Pick<ChannelManager, 'fail_htlc_backwards'> = {
    fail_htlc_backwards: (hash) => void done.push(`failed back ${toHex(hash)}`),
  }
  const parts = {
    node: { manager },
    holds,
    reach: (nodeId: string, host: string, port: number) => done.push(`${nodeId} at ${host} ${port}`),
  }
  handleEvent(parts as unknown as EventParts, event)
  return done
}

describe('HTLCs on the hash of a hold', () => {
  const arriving = (purpose: PaymentPurpose) =>
    Event.constructor_payment_claimable(
      fromHex(NODE_ID),
      fromHex(HASH),
      RecipientOnionFields.constructor_spontaneous_empty(),
      5_000n,
      0n,
      purpose,
      ChannelId.constructor_new(fromHex('44'.repeat(32))),
      Option_U128Z.constructor_none(),
      Option_u32Z.constructor_some(DEADLINE),
      Option_ThirtyTwoBytesZ.constructor_none(),
    )

  test('that pay its invoice are held', () => {
    const unknown = Option_ThirtyTwoBytesZ.constructor_none()
    const paid = PaymentPurpose.constructor_bolt11_invoice_payment(unknown, fromHex('55'.repeat(32)))
    expect(heardOf(arriving(paid))).toEqual([`held ${HASH} 5000 ${DEADLINE}`])
  })

  test('that came without it, by who knows the preimage, are failed back: they may end at any height', () => {
    const keysend = PaymentPurpose.constructor_spontaneous_payment(fromHex(PREIMAGE))
    expect(heardOf(arriving(keysend))).toEqual([`failed back ${HASH}`])
  })
})

test('a node that LDK needs as a peer is reached over IPv4 and IPv6', () => {
  const v6 = fromHex('20010db8000000000000000000000001')
  const event = Event.constructor_connection_needed(fromHex(NODE_ID), [
    SocketAddress.constructor_tcp_ip_v4(Uint8Array.of(192, 0, 2, 7), 9735),
    SocketAddress.constructor_tcp_ip_v6(v6, 9736),
    SocketAddress.constructor_onion_v2(new Uint8Array(12)),
  ])
  expect(heardOf(event)).toEqual([
    `${NODE_ID} at 192.0.2.7 9735`,
    `${NODE_ID} at 2001:0db8:0000:0000:0000:0000:0000:0001 9736`,
  ])
})
