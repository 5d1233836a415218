import { expect, test } from 'vitest'
import { Guard } from './guard.ts'

test('a callback that throws answers harmlessly, and the turn learns of it', () => {
  const guard = new Guard()
  const rate = guard.wrap(
    (target: number) => {
      if (target === 7) throw new Error('no such target')
      return target
    },
    () => 253,
  )
  expect(rate(1)).toBe(1)
  guard.check()
  expect(rate(7)).toBe(253)
  expect(() => guard.check()).toThrow('A callback given to LDK failed.')
  // From then on nothing runs any more: the state is in doubt.
  expect(rate(1)).toBe(253)
})
