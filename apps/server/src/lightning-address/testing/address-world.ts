import { randomBytes } from 'node:crypto'
import { type LightningNode, NodeError, type ReceivedPayment } from '@holdfast/lightning'
import { encodeOffer } from '@holdfast/protocols/bolt12'
import { chainHashOf } from '@holdfast/protocols/network'
import { encodeInvoice, fieldOf } from '@holdfast/protocols/testing/bolt11-encoder'
import { publicKey, secretKey } from '@holdfast/protocols/testing/points'
import { makeIdentity } from '../../identity/identity.ts'
import { type Device, newDevice, PUBLIC_URL, sign } from '../../identity/testing/identity-world.ts'
import { makeHttpApp } from '../../platform/http/app.ts'
import { startWorker } from '../../platform/jobs.ts'
import { makeLog } from '../../platform/log.ts'
import type { TestDatabase } from '../../platform/testing/with-database.ts'
import type { AddressTerms } from '../address-terms.ts'
import { makeLightningAddressSlice } from '../lightning-address-slice.ts'
import type { ZapReceipts } from '../zaps.ts'

/** Test double of a node that makes real BOLT 11 strings and is paid by saying so. */
export type InvoicingNode = LightningNode & {
  offline: boolean
  /** It answers an invoice that was not asked for. */
  lies: boolean
  /** Its clock against ours. */
  clockShiftMs: number
  made: number
  looks: number
  pay(paymentHash: string, amountMsat: bigint): void
  forget(paymentHash: string): void
}

function makeInvoicingNode(clock: () => number): InvoicingNode {
  const states = new Map<string, { payment: ReceivedPayment; expiresAt: number }>()
  const reach = () => {
    if (node.offline) throw new NodeError('offline', 'the test node is offline')
  }
  const node: InvoicingNode = {
    nodeId: publicKey(7),
    network: 'regtest',
    capabilities: new Set(['invoices'] as const),
    offline: false,
    lies: false,
    clockShiftMs: 0,
    made: 0,
    looks: 0,
    invoices: {
      async create({ amountMsat, descriptionHash, expirySeconds }) {
        reach()
        if (amountMsat === undefined || descriptionHash === undefined)
          throw new Error('a Lightning Address asks for an amount and a description hash')
        node.made++
        const paymentHash = randomBytes(32).toString('hex')
        const createdAt = Math.floor((clock() + node.clockShiftMs) / 1000) * 1000
        const invoice = encodeInvoice({
          amountMsat: node.lies ? amountMsat + 1n : amountMsat,
          createdAt,
          fields: [
            fieldOf.hex('p', paymentHash),
            fieldOf.hex('s', 'cd'.repeat(32)),
            fieldOf.hex('h', descriptionHash),
            fieldOf.number('x', expirySeconds),
            fieldOf.features([8, 14]),
          ],
          secretKey: secretKey(7),
        })
        const expiresAt = createdAt + expirySeconds * 1000
        states.set(paymentHash, { payment: { state: 'open' }, expiresAt })
        return { invoice, paymentHash }
      },
      async lookup(paymentHash) {
        reach()
        node.looks++
        const known = states.get(paymentHash)
        if (!known) return null
        return known.payment.state === 'open' && known.expiresAt <= clock()
          ? { state: 'expired' }
          : known.payment
      },
    },
    pay(paymentHash, amountMsat) {
      const known = states.get(paymentHash)
      if (!known) throw new Error('there is no such invoice')
      known.payment = { state: 'paid', amountMsat, paidAt: clock() }
    },
    forget: (paymentHash) => void states.delete(paymentHash),
  }
  return node
}

export const OFFER = encodeOffer({ issuerId: publicKey(7), chains: [chainHashOf('regtest')] }).text

export type AddressWorld = Awaited<ReturnType<typeof startAddressWorld>>

/** The slice on a real database over HTTP, with jobs if asked for; ₿alice@shop.test and all of wild.test have a node, ₿carol@shop.test none. */
export async function startAddressWorld(
  database: TestDatabase,
  options: {
    terms?: Partial<AddressTerms>
    zaps?: ZapReceipts
    perMinute?: { sender: number; name: number }
    worker?: boolean
    /** Requests per minute and address, whatever they ask for. */
    rateLimit?: number
    nodeTimeoutMs?: number
  } = {},
) {
  const log = makeLog({ level: 'silent' })
  const time = { shiftMs: 0 }
  const clock = () => Date.now() + time.shiftMs
  const node = makeInvoicingNode(clock)
  const [alice, carol] = [newDevice(), newDevice()]
  const owners = new Map([
    ['alice', alice.owner],
    ['carol', carol.owner],
  ])
  const app = await makeHttpApp({
    config: { publicUrl: PUBLIC_URL, rateLimit: options.rateLimit ?? 0, trustedProxies: [] },
    log,
    readiness: [],
    openapi: { title: 'Test', version: '0', description: '' },
  })
  const identity = makeIdentity({
    ...{ transact: database.transact, database: database.database, clock, publicUrl: PUBLIC_URL },
  })
  await identity.install(app)
  const { worker: withWorker = false, perMinute = null, ...rest } = options
  const slice = makeLightningAddressSlice({
    ...{ transact: database.transact, database: database.database, identity, clock, perMinute },
    nodes: { nodeOf: async (owner) => (owner === alice.owner ? node : null) },
    findActive: async (user, domain) => {
      const name = { user, domain, offer: OFFER }
      if (domain === 'wild.test') return { ...name, owner: alice.owner, answeredBy: '*' }
      const owner = domain === 'shop.test' ? owners.get(user) : undefined
      return owner === undefined ? null : { ...name, owner, answeredBy: user }
    },
    askedDomain: ({ host }) => host,
    publicUrl: PUBLIC_URL,
    ...rest,
  })
  slice.routes(app)
  const worker = withWorker
    ? await startWorker({ database: database.database, tasks: slice.tasks, concurrency: 2, log })
    : null
  const json = async (url: string, host = 'shop.test') =>
    (await app.inject({ url, headers: { host } })).json()
  return {
    ...{ app, alice, carol, node, slice, time, clock, json },
    /** Asks alice's address for an invoice. */
    callback: (query: Record<string, string>, name = 'alice@shop.test') =>
      json(`/lnurlp/${name}/callback?${new URLSearchParams(query)}`),
    received: async (device: Device, query = '') => {
      const url = `/v1/address-invoices?owner=me${query}`
      const authorization = sign(device, { method: 'GET', url, now: clock() })
      return (await app.inject({ url, headers: { authorization } })).json()
    },
    async stop() {
      await worker?.stop()
      await app.close()
    },
  }
}
