import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Capability,
  type Hex,
  type HoldState,
  type Network,
  NodeError,
  type NodeEvent,
} from '../ports.ts'
import type { LdkNode, Log } from './types.ts'
import type { Calls } from './worker/calls.ts'

type Link = {
  nodeId: Hex
  network: Network
  listening: { host: string; port: number } | null
  call: (method: string, args: readonly unknown[], timeoutMs?: number) => Promise<unknown>
  stopped: () => void
  log: Log
}

type Drop<Parameters extends readonly unknown[]> = Parameters extends readonly [unknown, ...infer Rest]
  ? Rest
  : never

const LONGEST_WAIT_MS = 60_000
const ANSWER_MARGIN_MS = 10_000
const CONNECT_TIMEOUT_MS = 20_000
const OPEN_CHANNEL_TIMEOUT_MS = 60_000
const SYNC_TIMEOUT_MS = 600_000
const WATCH_WAIT_MS = 20_000
const WATCH_RETRY_MS = 500

const CAPABILITIES: readonly Capability[] = [
  'invoices',
  'hold-invoices',
  'bought-holds',
  'own-holds',
  'offers',
  'payees',
  'pay',
  'funds',
  'events',
]

/** A node of the host as the ports see it. */
export function makeNodeProxy(link: Link): LdkNode {
  function call<Name extends keyof Calls>(
    name: Name,
    args: Drop<Parameters<Calls[Name]>>,
    timeoutMs?: number,
  ): Promise<Awaited<ReturnType<Calls[Name]>>> {
    return link.call(name, args, timeoutMs) as Promise<Awaited<ReturnType<Calls[Name]>>>
  }
  const shortened = (waitMs = 0) => Math.min(waitMs, LONGEST_WAIT_MS)
  const since = (cursor: number, options: { limit?: number; waitMs?: number } = {}) => {
    const waitMs = shortened(options.waitMs)
    return call('events', [cursor, { ...options, waitMs }], waitMs + ANSWER_MARGIN_MS)
  }
  return {
    capabilities: new Set(CAPABILITIES),
    nodeId: link.nodeId,
    network: link.network,
    listening: link.listening,
    invoices: {
      create: (request) => call('createInvoice', [request]),
      lookup: (paymentHash) => call('lookupInvoice', [paymentHash]),
    },
    holdInvoices: {
      create: (request) => call('createHold', [request]),
      settle: (paymentHash, preimage) => call('settleHold', [paymentHash, preimage]),
      cancel: (paymentHash) => call('cancelHold', [paymentHash]),
      lookup: (paymentHash) => call('lookupHold', [paymentHash]),
      lookupAll: (paymentHashes) => call('lookupHolds', [paymentHashes]),
      watch: (paymentHash, listener) =>
        watchHold({
          latest: () => call('latestEvent', []),
          since,
          lookup: () => call('lookupHold', [paymentHash]),
          paymentHash,
          listener,
          log: link.log,
        }),
    },
    ownHolds: {
      paymentHash: (label) => call('ownHash', [label]),
      settle: (label) => call('settleOwnHold', [label]),
    },
    offers: {
      create: (request) => call('createOffer', [request]),
      list: () => call('listOffers', []),
      disable: (offerId) => call('disableOffer', [offerId]),
    },
    payer: {
      // What is wrong with it is said by `pay`.
      expect: (destination) => void call('expectPayment', [destination]).catch(() => undefined),
      pay: (request) => call('pay', [request]),
      lookup: (paymentId, options = {}) => {
        const waitMs = shortened(options.waitMs)
        return call('lookupPayment', [paymentId, waitMs], waitMs + ANSWER_MARGIN_MS)
      },
    },
    funds: { balance: () => call('balance', []) },
    events: { since, acknowledge: (cursor) => call('acknowledgeEvents', [cursor]) },
    preimage: (paymentId) => call('preimage', [paymentId]),
    connect: (nodeId, host, port) => call('connect', [nodeId, host, port], CONNECT_TIMEOUT_MS),
    listPeers: () => call('listPeers', []),
    openChannel: (request) => call('openChannel', [request], OPEN_CHANNEL_TIMEOUT_MS),
    listChannels: () => call('listChannels', []),
    closeChannel: (channelId, options = {}) => call('closeChannel', [channelId, options]),
    newAddress: () => call('newAddress', []),
    knowsChannel: (shortChannelId) => call('knowsChannel', [shortChannelId]),
    sync: () => link.call('sync', [], SYNC_TIMEOUT_MS) as Promise<{ height: number }>,
    async stop() {
      await link.call('stop', [])
      link.stopped()
    },
  }
}

function watchHold(parts: {
  latest: () => Promise<number>
  since: (cursor: number, options: { waitMs: number }) => Promise<NodeEvent[]>
  lookup: () => Promise<HoldState | null>
  paymentHash: Hex
  listener: (state: HoldState) => void
  log: Log
}): () => void {
  let stopped = false
  const follow = async () => {
    let cursor: number | null = null
    while (!stopped) {
      try {
        cursor ??= await parts.latest()
        const events = await parts.since(cursor, { waitMs: WATCH_WAIT_MS })
        cursor = events.at(-1)?.cursor ?? cursor
        const concerned = events.some(
          (event) => 'paymentHash' in event && event.paymentHash === parts.paymentHash,
        )
        const state = concerned && !stopped ? await parts.lookup() : null
        if (state && !stopped) parts.listener(state)
      } catch (cause) {
        if (!(cause instanceof NodeError)) throw cause
        // The host restarts; what happened meanwhile is found from the cursor.
        await sleep(WATCH_RETRY_MS)
      }
    }
  }
  follow().catch((cause) => parts.log.error('Watching a hold invoice failed.', { reason: String(cause) }))
  return () => {
    stopped = true
  }
}
