import { beforeEach, describe, expect, test } from 'vitest'
import { ESCROW_REPLAY } from '../../escrow/replay-escrow.ts'
import { type EscrowWorld, makeEscrowWorld } from '../../escrow/testing/escrow-world.ts'
import { withDatabase } from '../testing/with-database.ts'
import { auditEntity } from './audit-entity.ts'

const database = withDatabase()
let world: EscrowWorld
let id: string

beforeEach(async () => {
  world = makeEscrowWorld(database)
  id = await world.reachReleasing()
  world.node.payeeAnswers(true)
  await world.slice.follow()
})

const audit = () => auditEntity(database, { stream: 'escrow', id }, ESCROW_REPLAY)

describe('the audit of an entity, here an escrow,', () => {
  test('finds an untouched one intact, and says where its journal ends', async () => {
    const entries = await world.entriesOf(id)
    expect(await audit()).toEqual({
      verdict: 'intact',
      entries: Array(entries.length).fill(expect.objectContaining({ stream: 'escrow', entityId: id })),
      head: expect.stringMatching(/^[0-9a-f]{64}$/),
      compared: true,
    })
    expect(await world.replayed(id)).toEqual(await world.read(id))
  })

  test('finds a state that the journal does not lead to', async () => {
    await database.queryAsOwner('alter table escrow disable trigger escrow_change')
    await database.queryAsOwner(
      "update escrow set state = jsonb_set(state, '{milestones,0,paidMsat}', '\"1\"') where id = $1",
      [id],
    )
    await database.queryAsOwner('alter table escrow enable trigger escrow_change')
    expect(await audit()).toMatchObject({ verdict: 'state-differs' })
  })

  test('finds a rewritten entry, even when the state fits', async () => {
    await database.queryAsOwner('alter table journal disable trigger user')
    await database.queryAsOwner("update journal set actor = 'nobody' where entity_id = $1 and seq = 3", [id])
    await database.queryAsOwner('alter table journal enable trigger user')
    expect(await audit()).toEqual({ verdict: 'chain-broken', seq: '3', fault: 'content-changed' })
  })

  test('verifies only the chain where nobody knows how to rebuild the state', async () => {
    const found = await auditEntity(database, { stream: 'escrow', id }, undefined)
    expect(found).toMatchObject({ verdict: 'intact', compared: false })
  })

  test('does not find one that never was', async () => {
    id = '00000000-0000-4000-8000-000000000000'
    expect(await audit()).toEqual({ verdict: 'not-found' })
  })
})
