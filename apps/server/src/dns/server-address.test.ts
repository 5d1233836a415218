import { expect, test } from 'vitest'
import { formatServerAddress, parseServerAddress } from './server-address.ts'

const GOOD: [text: string, address: string, port: number, formatted: string][] = [
  ['192.0.2.1', '192.0.2.1', 53, '192.0.2.1:53'],
  ['192.0.2.1:5353', '192.0.2.1', 5353, '192.0.2.1:5353'],
  ['2001:db8::1', '2001:db8::1', 53, '[2001:db8::1]:53'],
  ['[2001:db8::1]:5353', '2001:db8::1', 5353, '[2001:db8::1]:5353'],
]
for (const [text, address, port, formatted] of GOOD) {
  test(`${text} is read and shown as ${formatted}`, () => {
    expect(parseServerAddress(text)).toEqual({ address, port })
    expect(formatServerAddress(parseServerAddress(text))).toBe(formatted)
  })
}

const BAD = [
  '',
  'ns1.test',
  'ns1.test:53',
  '192.0.2.1:0',
  '192.0.2.1:65536',
  '192.0.2.999:53',
  '[192.0.2.1]:53',
  '[::1]',
  '::1]:53',
]
for (const text of BAD) {
  test(`${JSON.stringify(text)} is no address`, () => {
    expect(() => parseServerAddress(text)).toThrow(TypeError)
  })
}
