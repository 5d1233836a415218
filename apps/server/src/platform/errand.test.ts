import { expect, test } from 'vitest'
import { makeErrand } from './errand.ts'
import { makeLog } from './log.ts'

function errand() {
  const rounds: string[] = []
  const made = makeErrand({
    log: makeLog({ level: 'silent' }),
    what: 'an errand',
    rest: 0,
    async perform() {
      rounds.push('round')
      return 'done'
    },
  })
  return { ...made, rounds }
}

test('one round serves all who ask together, and none begins before they have gone on', async () => {
  const { ask, settled, stop, rounds } = errand()
  for (let asking = 0; asking < 3; asking++) ask()
  for (let tick = 0; tick < 20; tick++) await null
  expect(rounds).toEqual([])
  await settled()
  await stop()
  expect(rounds).toEqual(['round'])
})

test('what was asked for last is done before it stops', async () => {
  const { ask, stop, rounds } = errand()
  ask()
  await stop()
  expect(rounds).toEqual(['round'])
})
