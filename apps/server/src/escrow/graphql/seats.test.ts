import { describe, expect, test } from 'vitest'
import { RefusalError } from '../../platform/http/problem.ts'
import { makeSeats, takeEach } from './seats.ts'

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

  test('of two kinds one is not kept when the other is full', () => {
    const [one, other] = [makeSeats({ perKey: 1, inAll: 1 }), makeSeats({ perKey: 1, inAll: 1 })]
    const both = () => takeEach([() => one.take('a'), () => other.take('b')])
    const leaveOther = other.take('b')
    expect(taken(both)).toBe('RATE_LIMITED')
    leaveOther()
    const leave = both()
    expect([taken(() => one.take('a')), taken(() => other.take('b'))]).toEqual([
      'RATE_LIMITED',
      'RATE_LIMITED',
    ])
    leave()
    leave()
    expect([taken(() => one.take('a')), taken(() => other.take('b'))]).toEqual(['taken', 'taken'])
  })
})
