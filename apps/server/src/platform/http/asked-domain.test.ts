import { expect, test } from 'vitest'
import { makeAskedDomain } from './asked-domain.ts'

const domains = ['shop.test', 'other.test']
const asked = (host: string, publicUrl = 'http://127.0.0.1:3141') =>
  makeAskedDomain({ domains, publicUrl })({ host })

test.each([
  ['shop.test', 'shop.test'],
  ['OTHER.test:8443', 'other.test'],
  ['other.test.', 'other.test'],
  // A merchant's own domain: whether it is one is for the names to say.
  ['merchant.example', 'merchant.example'],
  ['127.0.0.1:3141', 'shop.test'],
  ['127.0.0.1', 'shop.test'],
  ['', ''],
  ['a b', ''],
])('%j is about %j', (host, domain) => {
  expect(asked(host)).toBe(domain)
})

test('a public URL on one of the domains stands for that one', () => {
  expect(asked('other.test', 'https://other.test')).toBe('other.test')
})

test('IPv6 addresses are hosts, too', () => {
  expect(asked('[::1]:3141', 'http://[::1]:3141')).toBe('shop.test')
})
