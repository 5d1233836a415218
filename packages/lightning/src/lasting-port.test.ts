import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { lastingPort } from './lasting-port.ts'

test('a lasting port is free, and not one that the system gives away', async () => {
  const port = await lastingPort()
  const given = createServer().listen(0, '127.0.0.1')
  const taken = createServer().listen(port, '127.0.0.1')
  await Promise.all([once(given, 'listening'), once(taken, 'listening')])
  expect((given.address() as AddressInfo).port).toBeGreaterThan(32_767)
  expect(port).toBeLessThanOrEqual(32_767)
  given.close()
  taken.close()
})
