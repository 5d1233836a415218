import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { NodeError } from '../../ports.ts'
import { TurnLoop } from './turn-loop.ts'

/** Turns whose disk is in the hands of the test; `told` is what happened, in its order. */
function makeTurns() {
  const told: string[] = []
  const world = { commits: true, disk: Promise.withResolvers<void>(), fault: null as Error | null }
  const turns = new TurnLoop({
    finish() {
      if (world.fault) throw world.fault
      told.push('committed')
      return world.commits
    },
    sync: () => world.disk.promise,
    syncNow: () => void told.push('on the disk, now'),
    letOut: () => void told.push('let out'),
    fatal: (cause) => void told.push(`fatal: ${(cause as Error).message}`),
  })
  /** Does something in a turn, and tells when it is answered. */
  const ask = (what: string) => {
    const answer = turns.perform(() => {
      told.push(what)
      return what
    })
    answer.then(
      () => told.push(`answered ${what}`),
      (error) => told.push(`refused ${what}: ${error.message}`),
    )
    return answer
  }
  const land = () => {
    const { resolve } = world.disk
    world.disk = Promise.withResolvers()
    resolve()
  }
  return { turns, told, world, ask, land }
}

describe('what a turn committed', () => {
  test('is let out, and answered, when it is on the disk and not before', async () => {
    const { told, ask, land } = makeTurns()
    const answer = ask('one')
    await nextTurn()
    await nextTurn()
    expect(told).toEqual(['one', 'committed'])
    land()
    expect(await answer).toBe('one')
    expect(told).toEqual(['one', 'committed', 'let out', 'answered one'])
  })

  test('keeps the next turn waiting, which then hears all that came meanwhile', async () => {
    const { turns, told, ask, land } = makeTurns()
    ask('one')
    await nextTurn()
    ask('two')
    turns.wake()
    ask('three')
    await nextTurn()
    expect(told).toEqual(['one', 'committed'])
    land()
    await nextTurn()
    await nextTurn()
    expect(told.slice(2)).toEqual(['let out', 'answered one', 'two', 'three', 'committed'])
    land()
    await nextTurn()
    expect(told.slice(7)).toEqual(['let out', 'answered two', 'answered three'])
  })

  test('is not waited for when there was nothing', async () => {
    const { told, world, ask } = makeTurns()
    world.commits = false
    await ask('a look')
    expect(told).toEqual(['a look', 'committed', 'let out', 'answered a look'])
  })

  test('is seen by an answer that comes by itself only when it is on the disk', async () => {
    const { turns, told, ask, land } = makeTurns()
    const later = Promise.withResolvers<string>()
    const answer = turns.perform(() => later.promise)
    await nextTurn()
    land()
    await nextTurn()
    ask('two')
    await nextTurn()
    later.resolve('seen')
    void answer.then(() => told.push('answered later'))
    await nextTurn()
    expect(told).not.toContain('answered later')
    land()
    expect(await answer).toBe('seen')
  })
})

describe('a question', () => {
  test('between turns is answered at once, without one', async () => {
    const { turns, told } = makeTurns()
    turns.wake()
    expect(await turns.ask(() => 'what is')).toBe('what is')
    expect(told).toEqual([])
  })

  test('is answered when what it may have seen is on the disk, and not before', async () => {
    const { turns, told, ask, land } = makeTurns()
    ask('one')
    await nextTurn()
    turns.ask(() => told.push('looked')).then(() => told.push('answered'))
    await nextTurn()
    expect(told).toEqual(['one', 'committed', 'looked'])
    land()
    await nextTurn()
    expect(told.slice(3)).toEqual(['let out', 'answered one', 'answered'])
  })

  test('sees what was done by those who came before it', async () => {
    const { turns, told, ask, land } = makeTurns()
    ask('one')
    void turns.ask(() => told.push('looked'))
    await nextTurn()
    land()
    expect(told).toEqual(['one', 'looked', 'committed'])
  })

  test('that is a mistake is refused, and one that breaks the instance is fatal', async () => {
    const { turns, told } = makeTurns()
    const asks = (fault: Error) =>
      turns.ask(() => {
        throw fault
      })
    await expect(asks(new NodeError('invalid', 'no such id'))).rejects.toThrow('no such id')
    expect(told).toEqual([])
    await expect(asks(new WebAssembly.RuntimeError('unreachable'))).rejects.toMatchObject({ code: 'offline' })
    expect(told).toEqual(['fatal: unreachable'])
    await expect(turns.ask(() => 'what is')).rejects.toMatchObject({ code: 'offline' })
  })
})

describe('a turn that is taken now', () => {
  test('is on the disk when it returns, after the one that was on its way there', async () => {
    const { turns, told, ask, land } = makeTurns()
    ask('one')
    await nextTurn()
    turns.run([() => void told.push('a block')])
    const now = ['on the disk, now', 'let out']
    expect(told).toEqual(['one', 'committed', ...now, 'a block', 'committed', ...now])
    land()
    await nextTurn()
    expect(told.slice(8)).toEqual(['answered one'])
  })

  test('does not end a later commit, although the disk answers for the earlier one', async () => {
    const { turns, told, world, ask } = makeTurns()
    const earlier = world.disk
    ask('one')
    await nextTurn()
    turns.run()
    world.disk = Promise.withResolvers()
    const two = ask('two')
    await nextTurn()
    earlier.resolve()
    await nextTurn()
    expect(told.at(-1)).toBe('committed')
    world.disk.resolve()
    expect(await two).toBe('two')
  })
})

test('nobody who wakes is forgotten, however many turns were planned', async () => {
  const { turns, told, ask, land } = makeTurns()
  ask('one')
  await nextTurn()
  turns.wake()
  turns.run()
  turns.perform(() => queueMicrotask(() => ask('two')))
  await nextTurn()
  await nextTurn()
  land()
  await nextTurn()
  await nextTurn()
  expect(told.slice(-2)).toEqual(['two', 'committed'])
})

describe('the end', () => {
  test('a disk that fails is fatal, and nothing is let out', async () => {
    const { told, world, ask } = makeTurns()
    ask('one')
    await nextTurn()
    world.disk.reject(new Error('EIO'))
    await nextTurn()
    expect(told).toEqual(['one', 'committed', 'fatal: EIO'])
    await expect(ask('two')).rejects.toMatchObject({ code: 'offline' })
  })

  test.each(['soon', 'now'])('so is a turn that fails, taken %s', async (when) => {
    const { turns, told, world, ask } = makeTurns()
    world.fault = new Error('a callback failed')
    if (when === 'soon') ask('one')
    else turns.run()
    await nextTurn()
    await nextTurn()
    expect(told.at(-1)).toBe('fatal: a callback failed')
    expect(told).not.toContain('let out')
  })

  test('what one call throws is its own affair', async () => {
    const { turns, told, world } = makeTurns()
    world.commits = false
    const mistake = turns.perform(() => {
      throw new NodeError('invalid', 'no such hold')
    })
    await expect(mistake).rejects.toMatchObject({ code: 'invalid', message: 'no such hold' })
    const bug = turns.perform(() => {
      throw new TypeError('undefined')
    })
    await expect(bug).rejects.toMatchObject({ code: 'invalid', message: 'TypeError: undefined' })
    const later = turns.perform(() => Promise.reject(new NodeError('offline', 'gone')))
    await expect(later).rejects.toMatchObject({ code: 'offline' })
    expect(told.filter((one) => one.startsWith('fatal'))).toEqual([])
  })

  test('a panic of WASM is not: what the instance says from then on is not kept', async () => {
    const { turns, told } = makeTurns()
    const panic = turns.perform(() => {
      throw new WebAssembly.RuntimeError('unreachable')
    })
    await expect(panic).rejects.toMatchObject({ code: 'offline' })
    expect(told).toEqual(['fatal: unreachable'])
  })

  test('nothing is done after it', async () => {
    const { turns, told } = makeTurns()
    turns.end()
    turns.run()
    turns.wake()
    await nextTurn()
    expect(told).toEqual([])
    expect(turns.ended).toBe(true)
  })
})
