import { createHash, randomBytes } from 'node:crypto'
import type { Hex, LightningNode, NodeEvent, PaymentOutcome, PayRequest } from '../ports.ts'

/** A node with every port. Contracts of ports that a backend does not support are not run for it. */
export type FullNode = Required<LightningNode>

/** What a port's contract runs in: a payer that reaches a payee over a hub, with money on both sides. */
export type ContractWorld = {
  readonly payer: FullNode
  readonly payee: FullNode
  /** Mines, and resolves when every node stands on the last block. */
  mine(blocks: number): Promise<void>
  height(): Promise<number>
  stop(): Promise<void>
}

export type WorldOf<World extends ContractWorld = ContractWorld> = () => World

export const freshId = (): Hex => randomBytes(32).toString('hex')

export function freshSecret(): { preimage: Hex; paymentHash: Hex } {
  const preimage = randomBytes(32)
  return {
    preimage: preimage.toString('hex'),
    paymentHash: createHash('sha256').update(preimage).digest('hex'),
  }
}

const PATIENCE_MS = 15_000

/** Asks until the answer is not null. */
export async function eventually<Answer>(what: string, ask: () => Promise<Answer | null>): Promise<Answer> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const answer = await ask()
    if (answer !== null) return answer
    if (Date.now() > deadline) throw new Error(`Waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export function isTrue(what: string, ask: () => Promise<boolean>): Promise<true> {
  return eventually(what, async () => ((await ask()) ? true : null))
}

/** The outcome once it is final. */
export function outcomeOf(node: FullNode, paymentId: Hex): Promise<PaymentOutcome> {
  return eventually('the payment ends', async () => {
    const outcome = await node.payer.lookup(paymentId)
    return outcome && outcome.state !== 'pending' ? outcome : null
  })
}

export function payRequest(
  destination: PayRequest['destination'],
  amountMsat: bigint,
  more: Partial<PayRequest> = {},
): PayRequest {
  return { paymentId: freshId(), destination, amountMsat, maxFeeMsat: 20_000n, timeoutMs: 10_000, ...more }
}

export const bolt11 = (invoice: string) => ({ kind: 'bolt11', invoice }) as const
export const bolt12 = (offer: string) => ({ kind: 'bolt12', offer }) as const

/** Everything that a node has ever reported. */
export async function allEvents(node: FullNode): Promise<NodeEvent[]> {
  const events: NodeEvent[] = []
  for (;;) {
    const more = await node.events.since(events.at(-1)?.cursor ?? 0)
    if (more.length === 0) return events
    events.push(...more)
  }
}

export async function eventOn(node: FullNode, paymentHash: Hex, kind: NodeEvent['kind']): Promise<NodeEvent> {
  return eventually(`${kind} on ${paymentHash}`, async () => {
    const events = await allEvents(node)
    return events.find((e) => e.kind === kind && 'paymentHash' in e && e.paymentHash === paymentHash) ?? null
  })
}
