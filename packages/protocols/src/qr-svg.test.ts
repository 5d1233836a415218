import { describe, expect, test } from 'vitest'
import { uriForQr } from './bip321.ts'
import { QrTooLongError, qrSvg } from './qr-svg.ts'
import { scanQrSvg } from './testing/scan-qr-svg.ts'

const OFFER = `lno1${'qgsyxjtl6luzd9t3pr62xr7eemp6awnejusgf6gw45q75vcfqqqqqqq2p32x2um5ypmx2cm5dae8x93pqthvwfzadd7je'.repeat(3)}`
const modulesOf = (svg: string) => Number(/viewBox="0 0 (\d+) /.exec(svg)?.[1]) - 8

describe('a QR code is read by another library as', () => {
  test.each([
    ['a URI', `bitcoin:?lno=${OFFER}`],
    ['a URI in capitals', uriForQr(`bitcoin:?lno=${OFFER}&label=alice`)],
    ['a name', '₿alice@shop.test'],
    ['one character', 'x'],
  ])('%s', (_, text) => {
    expect(scanQrSvg(qrSvg(text, { title: 't' }))).toBe(text)
  })
})

test('capitals make it smaller', () => {
  const text = `bitcoin:?lno=${OFFER}`
  const [plain, capitals] = [text, uriForQr(text)].map((given) => modulesOf(qrSvg(given, { title: 't' })))
  expect(capitals).toBeLessThan(plain ?? 0)
})

test('it has a title, which holds no markup, and light all around', () => {
  const svg = qrSvg('x', { title: 'Pay <b>"Bob" & Co\u0007</b>' })
  expect(svg).toContain('role="img"')
  expect(svg).toContain('<title>Pay &lt;b&gt;&quot;Bob&quot; &amp; Co&lt;/b&gt;</title>')
  expect(svg).toMatch(/viewBox="0 0 29 29"/)
})

test('what no QR code holds is refused', () => {
  expect(() => qrSvg('é'.repeat(1_166), { title: 't' })).toThrow(QrTooLongError)
})
