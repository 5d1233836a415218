import { describeHoldClaims } from '@holdfast/lightning/contract/hold-claims.contract'
import { beforeEach, describe, expect, test } from 'vitest'
import { auditEntity } from '../platform/journal/audit-entity.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { ESCROW_REPLAY } from './replay-escrow.ts'
import {
  BUYER,
  type EscrowWorld,
  FEE_MSAT,
  HOUR_MS,
  makeEscrowWorld,
  PAYOUT_MSAT,
} from './testing/escrow-world.ts'

const database = withDatabase()
let world: EscrowWorld

beforeEach(() => {
  world = makeEscrowWorld(database)
})

/** The worker is paid, and the peer of the channel by which the buyer's money came does not answer. */
async function reachReleased(): Promise<string> {
  const id = await world.reachReleasing()
  world.node.peerIsSilent = true
  world.node.payeeAnswers(true)
  await world.slice.follow()
  await world.milestoneIn(id, 'released')
  return id
}

async function openClaims(id: string): Promise<string[]> {
  const row = database.db.selectFrom('escrow').select('open_claims').where('id', '=', id)
  return (await row.executeTakeFirstOrThrow()).open_claims
}

async function nextBlock(): Promise<void> {
  world.node.mineTo(world.node.height + 1)
  await world.slice.guard()
  await world.slice.followClaims()
}

const questions = () => world.node.calls.filter((call) => call === 'lookup-all').length
const audit = (id: string) => auditEntity(database, { stream: 'escrow', id }, ESCROW_REPLAY)

describe('of a release', () => {
  test('the claim is followed block by block until it is final, and the journal has nothing of it', async () => {
    const id = await reachReleased()
    const entries = await world.entriesOf(id)
    for (let block = 1; block <= 3; block++) {
      await nextBlock()
      await world.slice.followClaims()
      expect(questions()).toBe(block)
      expect(await openClaims(id)).toEqual([world.paymentHash])
    }
    world.node.endClaims('final')
    await nextBlock()
    expect(await openClaims(id)).toEqual([])
    await nextBlock()
    expect(questions()).toBe(4)
    expect(await world.entriesOf(id)).toEqual(entries)
    expect(await audit(id)).toMatchObject({ verdict: 'intact' })
  })

  test('that is lost the journal tells, by the node, and the state says so', async () => {
    const id = await reachReleased()
    world.node.endClaims('lost')
    await world.slice.follow()
    expect(await world.read(id)).toMatchObject({
      phase: 'completed',
      milestones: [{ phase: 'lost', paidMsat: PAYOUT_MSAT, heldMsat: PAYOUT_MSAT + FEE_MSAT }],
    })
    expect(await openClaims(id)).toEqual([])
    expect((await world.entriesOf(id)).at(-1)).toMatchObject({
      kind: 'escrow.hold-seen',
      actor: 'node',
      data: { command: { said: { state: 'lost', amountMsat: `${PAYOUT_MSAT + FEE_MSAT}` } } },
    })
    expect(await audit(id)).toMatchObject({ verdict: 'intact' })
    expect(world.node.gainMsat()).toBe(-PAYOUT_MSAT - 5n)
  })

  test('that is lost is found by asking, too, when the event of it never came', async () => {
    const id = await reachReleased()
    world.node.endClaims('lost')
    await nextBlock()
    await world.milestoneIn(id, 'lost')
    expect(await openClaims(id)).toEqual([])
    const entries = await world.entriesOf(id)
    await world.slice.follow()
    await nextBlock()
    expect(await world.entriesOf(id)).toEqual(entries)
  })

  test('is asked about after a start without waiting for a block, and again when the node did not answer', async () => {
    const id = await reachReleased()
    await nextBlock()
    const after = makeEscrowWorld(database)
    after.node.holds.set(world.paymentHash, world.node.holds.get(world.paymentHash)!)
    after.node.offline = true
    await expect(after.slice.followClaims()).rejects.toMatchObject({ code: 'offline' })
    after.node.offline = false
    after.node.endClaims('final')
    await after.slice.followClaims()
    expect(await openClaims(id)).toEqual([])
  })

  test('goes on being followed when another milestone is kept just then', async () => {
    const id = await reachReleased()
    const row = database.db.updateTable('escrow').where('id', '=', id)
    await row.set({ open_claims: [world.paymentHash, 'ab'.repeat(32)] }).execute()
    world.node.endClaims('final')
    await nextBlock()
    expect(await openClaims(id)).toEqual(['ab'.repeat(32)])
    await row.set({ open_claims: [] }).execute()
  })
})

test('what was claimed of many escrows is one question', async () => {
  const first = await reachReleased()
  const other = makeEscrowWorld(database)
  const second = await other.reachReleasing()
  other.node.payeeAnswers(true)
  await other.slice.follow()
  world.node.holds.set(other.paymentHash, other.node.holds.get(other.paymentHash)!)
  await nextBlock()
  expect(questions()).toBe(1)
  expect([await openClaims(first), await openClaims(second)]).toEqual([[world.paymentHash], []])
  world.node.endClaims('final')
  await nextBlock()
})

test('a lost claim that cannot be told keeps no other from being told, and is told later', async () => {
  const [first, second] = [await reachReleased(), makeEscrowWorld(database)]
  const other = await second.reachReleasing()
  second.node.peerIsSilent = true
  second.node.payeeAnswers(true)
  await second.slice.follow()
  world.node.holds.set(second.paymentHash, second.node.holds.get(second.paymentHash)!)
  world.node.endClaims('lost')
  const ids = [first, other].sort()
  const phaseOf = async (id: string) => (await world.milestone(id)).phase
  // A row that nobody may change stands for whatever may be wrong with one escrow alone.
  const spoil = `create function spoil() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
    create trigger spoiled before update on escrow for each row when (old.id = '${ids[0]}') execute function spoil()`
  await database.queryAsOwner(spoil)
  await expect(nextBlock()).rejects.toThrow('1 lost claims were passed over')
  await database.queryAsOwner('drop trigger spoiled on escrow; drop function spoil()')
  expect([await phaseOf(ids[0]!), await phaseOf(ids[1]!)]).toEqual(['released', 'lost'])
  await world.slice.followClaims()
  expect(await phaseOf(ids[0]!)).toBe('lost')
})

test('a premature settlement whose claim is lost is owed all the same, and the operator bears it', async () => {
  const id = await world.reachHeld()
  world.node.peerIsSilent = true
  await world.slice.reportPreimage({ id, milestone: 0, preimage: world.preimage })
  await world.milestoneIn(id, 'premature')
  expect(await openClaims(id)).toEqual([world.paymentHash])
  world.node.endClaims('lost')
  await nextBlock()
  expect(await world.milestoneIn(id, 'premature')).toMatchObject({ claimLost: true })
  expect(await openClaims(id)).toEqual([])
  const invoice = world.invoiceOf({ paymentHash: 'cd'.repeat(32), amountMsat: PAYOUT_MSAT + FEE_MSAT })
  await world.ask(id, { kind: 'submit-refund-invoice', by: BUYER, milestone: 0, invoice })
  await world.run('repay')
  world.node.payeeAnswers(true)
  await world.slice.follow()
  world.time.now += HOUR_MS
  await world.slice.reconcile()
  await world.runNext(5)
  expect(await world.milestoneIn(id, 'repaid')).toMatchObject({ claimLost: true })
  expect(world.node.gainMsat()).toBe(-PAYOUT_MSAT - FEE_MSAT - 5n)
  expect(await audit(id)).toMatchObject({ verdict: 'intact' })
})

describe('the simulated node', () => {
  describeHoldClaims(async () => {
    const { node } = world
    const { paymentHash } = makeEscrowWorld(database)
    const amountMsat = 5_000n
    const terms = { paymentHash, amountMsat, description: '', expirySeconds: 60 }
    await node.holdInvoices.create({ ...terms, minFinalCltvExpiryDelta: 40 })
    node.buyerPays(paymentHash)
    node.peerIsSilent = true
    node.claim(paymentHash)
    setImmediate(() => node.endClaims('final'))
    return { holdInvoices: node.holdInvoices, paymentHash, amountMsat }
  })
})
