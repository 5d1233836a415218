import { describe, expect, test } from 'vitest'
import { RefusalError } from '../../platform/http/problem.ts'
import { makeSeats } from './seats.ts'

const taken = (act: () => unknown) => {
  try {
    act()
    return 'taken'
  } catch (error) {
    return (error as RefusalError).refusal.refused
  }
}

describe('seats', () => {
  test('a key has so many, and gets one back when somebody leaves', () => {
    const seats = makeSeats({ perKey: 2, inAll: 10 })
    const leave = seats.take('a')
    seats.take('a')
    expect(taken(() => seats.take('a'))).toBe('RATE_LIMITED')
    expect(taken(() => seats.take('b'))).toBe('taken')
    leave()
    expect(taken(() => seats.take('a'))).toBe('taken')
  })

  test('all together have so many', () => {
    const seats = makeSeats({ perKey: 2, inAll: 2 })
    const leave = seats.take('a')
    seats.take('b')
    expect(taken(() => seats.take('c'))).toBe('OVERLOADED')
    leave()
    expect(taken(() => seats.take('c'))).toBe('taken')
  })

  test('says when to come back', () => {
    const { take } = makeSeats({ perKey: 0, inAll: 1 })
    expect(() => take('a')).toThrow(RefusalError)
    try {
      take('a')
    } catch (error) {
      expect((error as RefusalError).refusal.data).toEqual({ retryAfterSeconds: 30 })
    }
  })
})
