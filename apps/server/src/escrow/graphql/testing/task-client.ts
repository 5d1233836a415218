import { randomBytes } from 'node:crypto'
import { type Device, newDevice } from '../../../identity/testing/identity-world.ts'
import { hashOf } from '../../testing/escrow-node.ts'
import { HOUR_MS, PAYOUT_MSAT } from '../../testing/escrow-world.ts'
import type { GraphqlWorld, How } from './graphql-world.ts'

/** The input types that are not named after their mutation. */
const INPUT_TYPES: Record<string, string> = {
  publishTask: 'TaskInput',
  cancelTask: 'TaskInput',
  submitInvoice: 'InvoiceInput',
  submitRefundInvoice: 'InvoiceInput',
  fundMilestone: 'MilestoneIdInput',
  approveMilestone: 'MilestoneIdInput',
  refundMilestone: 'MilestoneIdInput',
  requestRevision: 'ReasonInput',
  openDispute: 'ReasonInput',
}

export type Parties = { buyer: Device; worker: Device; arbiter: Device; stranger: Device }

/** Four keys that nobody has had before; `same` of them may be known. */
export function newParties(same: Partial<Parties> = {}): Parties {
  return { buyer: newDevice(), worker: newDevice(), arbiter: newDevice(), stranger: newDevice(), ...same }
}

/** What the worker's wallet knows of an invoice. */
type Secret = { preimage: string; paymentHash: string }
type Funding = Secret & { taskId: string }

/** A plan as `createTask` takes it. */
export function planOf(parts: object = {}) {
  return {
    title: 'Translate a page',
    description: 'From Catalan.',
    deadlineAt: Date.now() + 240 * HOUR_MS,
    milestones: [
      { title: 'All of it', payoutMsat: `${PAYOUT_MSAT}`, workMs: 10 * HOUR_MS, objectionMs: 2 * HOUR_MS },
    ],
    ...parts,
  }
}

/** A marketplace's client: verbs that bring a task where a test begins. */
export function taskClient(world: GraphqlWorld) {
  /** In a session of its sender, unless it is to be `signed`: an event can be said only once a second. */
  const send = async (
    by: Device | null,
    field: string,
    input: object,
    answer = 'task { id phase }',
    { signed = false, ...how }: How & { signed?: boolean } = {},
  ) => {
    const type = INPUT_TYPES[field] ?? `${field[0]!.toUpperCase()}${field.slice(1)}Input`
    const query = `mutation ($input: ${type}!) { ${field}(input: $input) { ${answer} } }`
    const token = by === null || signed ? {} : { token: await world.session(by) }
    return world.send(signed ? by : null, { query, variables: { input } }, { ...token, ...how })
  }

  /** The one field of the answer; throws what was refused. */
  async function mutate(
    by: Device | null,
    field: string,
    input: object,
    answer?: string,
    how?: How & { signed?: boolean },
  ) {
    const { data, errors } = await send(by, field, input, answer, how)
    if (errors || !data) throw new Error(`${field}: ${JSON.stringify(errors)}`)
    return data[field]
  }

  const client = {
    send,
    mutate,
    /** The codes with which a mutation is refused; empty: it was done. */
    async refusedAs(by: Device | null, field: string, input: object, how?: How): Promise<unknown[]> {
      const { errors = [] } = await send(by, field, input, 'task { id }', how)
      return errors.map(({ extensions }) => extensions.code)
    },
    async read(by: Device | null, id: string, answer: string) {
      const query = `query ($id: ID!) { task(id: $id) { ${answer} } }`
      const how = by === null ? {} : { token: await world.session(by) }
      const { data, errors } = await world.send(null, { query, variables: { id } }, how)
      if (errors) throw new Error(JSON.stringify(errors))
      return data.task
    },
    /** Each a millisecond later than the one before. */
    async draft({ buyer, arbiter }: Parties, parts: object = {}): Promise<string> {
      world.time.now++
      const { task } = await mutate(buyer, 'createTask', {
        plan: planOf({ arbiter: arbiter.owner, ...parts }),
      })
      return task.id
    },
    async open(parties: Parties, parts: object = {}): Promise<string> {
      const taskId = await client.draft(parties, parts)
      await mutate(parties.buyer, 'publishTask', { taskId })
      return taskId
    },
    async assigned(parties: Parties, parts: object = {}): Promise<string> {
      const taskId = await client.open(parties, parts)
      const { buyer, worker } = parties
      await mutate(worker, 'applyToTask', { taskId, message: 'I can.' })
      await mutate(buyer, 'assignWorker', { taskId, worker: worker.owner })
      return taskId
    },
    /** The funding invoice waits to be paid. */
    async funding(parties: Parties, parts: object = {}): Promise<Funding> {
      const taskId = await client.assigned(parties, parts)
      const secret = await client.invoice(parties, taskId)
      await mutate(parties.buyer, 'fundMilestone', { taskId, milestone: 0 }, 'funding { invoice }')
      return { taskId, ...secret }
    },
    async held(parties: Parties, parts: object = {}): Promise<Funding> {
      const funding = await client.funding(parties, parts)
      world.node.buyerPays(funding.paymentHash)
      await world.slice.follow()
      return funding
    },
    async proven(parties: Parties, parts: object = {}): Promise<Funding> {
      const held = await client.held(parties, parts)
      await mutate(parties.worker, 'submitProof', { taskId: held.taskId, milestone: 0, text: 'Done.' })
      return held
    },
    /** The preimage came out, and the buyer's wallet reports it. */
    async premature(parties: Parties, parts: object = {}): Promise<Funding> {
      const held = await client.held(parties, parts)
      const { taskId, preimage } = held
      await mutate(parties.buyer, 'reportPreimage', { taskId, milestone: 0, preimage })
      return held
    },
    /** The worker submits an invoice on a hash of its own. */
    async invoice({ worker }: Parties, taskId: string, milestone = 0): Promise<Secret> {
      const preimage = randomBytes(32).toString('hex')
      const paymentHash = hashOf(preimage)
      const invoice = world.invoiceOf({ paymentHash })
      await mutate(worker, 'submitInvoice', { taskId, milestone, invoice })
      return { preimage, paymentHash }
    },
  }
  return client
}
