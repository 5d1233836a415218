import { expect, test } from 'vitest'
import { lookupOf, pinAddresses, systemLookup } from './pinned-address.ts'
import { isLoopback } from './public-address.ts'

test('the system tells all addresses of a host', async () => {
  const addresses = await systemLookup('localhost')
  expect(addresses.length).toBeGreaterThan(0)
  expect(addresses.every(isLoopback)).toBe(true)
  await expect(
    pinAddresses('localhost', { lookup: systemLookup, allowLoopback: false }),
  ).rejects.toMatchObject({
    code: 'forbidden',
  })
})

test('who connects is told the checked addresses, whatever host is asked for', () => {
  const told: unknown[] = []
  const lookup = lookupOf(['2606:4700::1', '1.1.1.1'])
  lookup('elsewhere.test', { all: true }, (...answer) => told.push(answer))
  lookup('elsewhere.test', {}, (...answer) => told.push(answer))
  expect(told).toEqual([
    [
      null,
      [
        { address: '2606:4700::1', family: 6 },
        { address: '1.1.1.1', family: 4 },
      ],
    ],
    [null, '2606:4700::1', 6],
  ])
})
