import { setTimeout as sleep } from 'node:timers/promises'
import { createHoldfastClient } from '@holdfast/client'
import type { BenchUser, BenchWorld } from './bench-world.ts'
import type { Figure } from './figure.ts'
import { makeNodePayer } from './pay-on-node.ts'
import { registerName } from './register-name.ts'
import { median, percentile } from './statistics.ts'

const AMOUNT_MSAT = 1_000_000n
const MAX_FEE_MSAT = 10_000n
/** Payments on one machine scatter by a fifth: the median of 24 still does by a twentieth, which is as much as is looked for. */
const FEWEST_ROUNDS = 60
/** Rounds before those that count: what is measured is a server, and nodes, that have been at it for a while. */
const WARM_UP_ROUNDS = 6
/** After a payment has ended the nodes still exchange signatures, which the next one must not have to wait for. */
const QUIET_MS = 150
const MOST = 1.25

/** One way to pay the same payee; what `prepare` does is not part of the payment. */
type Way = {
  readonly name: string
  readonly prepare: () => Promise<string>
  readonly pay: (to: string) => Promise<void>
}

/**
 * bob pays alice through the hub: straight on his node, and through the server as a client does. One round pays once
 * by every way, and each round begins with another one, so that whatever else the machine does falls on all alike.
 */
export async function benchPayments(world: BenchWorld, seconds: number): Promise<Figure[]> {
  const [alice, bob] = await Promise.all([world.user('alice'), world.user('bob')])
  const ways = await makeWays(world, alice, bob)
  const first = new Map<string, number>()
  for (const way of ways) first.set(way.name, await timed(way))

  for (let round = 0; round < WARM_UP_ROUNDS; round++) for (const way of ways) await timed(way)
  const samples = new Map<string, number[]>(ways.map((way) => [way.name, []]))
  const until = performance.now() + seconds * 1000
  for (let round = 0; round < FEWEST_ROUNDS || performance.now() < until; round++) {
    for (let turn = 0; turn < ways.length; turn++) {
      const way = ways[(round + turn) % ways.length] as Way
      samples.get(way.name)?.push(await timed(way))
    }
  }

  const of = 'payments'
  const took = (name: string) => samples.get(name) ?? []
  const ratio = (what: string, api: string, bare: string): Figure => ({
    of,
    what,
    value: median(took(api)) / median(took(bare)),
    unit: '×',
    atMost: MOST,
  })
  return [
    ratio('API to a name / bare node, BOLT 12', 'API, name', 'node, BOLT 12'),
    ratio('API to an offer / bare node, BOLT 12', 'API, offer', 'node, BOLT 12'),
    ratio('API / bare node, BOLT 11', 'API, BOLT 11', 'node, BOLT 11'),
    ...ways.flatMap(({ name }): Figure[] => [
      { of, what: `${name}, first`, value: first.get(name) ?? 0, unit: 'ms' },
      { of, what: `${name}, median`, value: median(took(name)), unit: 'ms' },
      { of, what: `${name}, p95`, value: percentile(took(name), 0.95), unit: 'ms' },
    ]),
  ]
}

async function timed({ prepare, pay }: Way): Promise<number> {
  const to = await prepare()
  await sleep(QUIET_MS)
  const began = performance.now()
  await pay(to)
  return performance.now() - began
}

async function makeWays(world: BenchWorld, payee: BenchUser, payer: BenchUser): Promise<Way[]> {
  const clientOf = (user: BenchUser) =>
    createHoldfastClient({ baseUrl: world.url, signer: user.device.signer })
  const { name, offer } = await registerName(clientOf(payee), { user: 'bench-payee', domain: world.domain })
  const client = clientOf(payer)
  const bare = makeNodePayer(payer.node)

  const byApi = async (to: string) => {
    const { state, error } = await client.payAndWait({
      to,
      amountMsat: AMOUNT_MSAT,
      maxFeeMsat: MAX_FEE_MSAT,
    })
    if (state !== 'succeeded') throw new Error(`A payment by API has ${state}: ${error?.code}.`)
  }
  const newInvoice = async () => {
    const request = { amountMsat: AMOUNT_MSAT, description: 'bench', expirySeconds: 3600 }
    const made = await payee.node.invoices?.create(request)
    if (!made) throw new Error('The node of the payee makes no invoices.')
    return made.invoice
  }
  const amounts = { amountMsat: AMOUNT_MSAT, maxFeeMsat: MAX_FEE_MSAT }
  return [
    {
      name: 'node, BOLT 12',
      prepare: () => bare.catchUp().then(() => offer),
      pay: (to) => bare.pay({ ...amounts, destination: { kind: 'bolt12', offer: to } }),
    },
    { name: 'API, name', prepare: async () => `₿${name}`, pay: byApi },
    { name: 'API, offer', prepare: async () => offer, pay: byApi },
    {
      name: 'node, BOLT 11',
      prepare: () => bare.catchUp().then(newInvoice),
      pay: (to) => bare.pay({ ...amounts, destination: { kind: 'bolt11', invoice: to } }),
    },
    { name: 'API, BOLT 11', prepare: newInvoice, pay: byApi },
  ]
}
