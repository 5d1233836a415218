import { expect, test } from 'vitest'
import { addressKey, makeMemoryRateLimiter } from './rate-limiter.ts'

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:0db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('%s is counted under %s', (address, key) => {
  expect(addressKey(address)).toBe(key)
})

test('a key that was used too often is refused with the time to wait; another is not', async () => {
  const limiter = makeMemoryRateLimiter({ points: 1, seconds: 30 })
  await limiter.consume('a')
  await expect(limiter.consume('a')).rejects.toMatchObject({
    refusal: { refused: 'RATE_LIMITED', data: { retryAfterSeconds: 30 } },
  })
  await limiter.consume('b')
})
