import { expect, test } from 'vitest'
import { serverUrl } from './server-url.ts'

test.each([
  ['127.0.0.1', 'http://127.0.0.1:3141'],
  ['shop.example', 'http://shop.example:3141'],
  ['::1', 'http://[::1]:3141'],
])('clients of %s sign for %s, a URL that parses', (host, url) => {
  expect(serverUrl(host, 3141)).toBe(url)
  expect(new URL(url).origin).toBe(url)
})
