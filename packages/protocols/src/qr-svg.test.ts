import decodeQR from 'qr/decode.js'
import { describe, expect, test } from 'vitest'
import { uriForQr } from './bip321.ts'
import { QrTooLongError, qrSvg } from './qr-svg.ts'

const OFFER = `lno1${'qgsyxjtl6luzd9t3pr62xr7eemp6awnejusgf6gw45q75vcfqqqqqqq2p32x2um5ypmx2cm5dae8x93pqthvwfzadd7je'.repeat(3)}`
const SCALE = 4

/** Paints what lies within the outlines of our SVG and reads the picture. */
function scan(svg: string): string {
  const side = Number(/viewBox="0 0 (\d+) /.exec(svg)?.[1])
  const outline = /fill="#000" transform="translate\(4 4\)" d="([^"]+)"/.exec(svg)?.[1] ?? ''
  /** By row of modules, the columns at which an outline is crossed. */
  const crossings = new Set<string>()
  for (const part of outline.split('Z').filter((polygon) => polygon !== '')) {
    const points = part
      .slice(1)
      .split('L')
      .map((point) => point.split(' ').map(Number))
    points.forEach(([x = 0, y = 0], i) => {
      const [nextX = 0, nextY = 0] = points[(i + 1) % points.length] ?? []
      if (x !== nextX) return
      for (let row = Math.min(y, nextY); row < Math.max(y, nextY); row++) crossings.add(`${x + 4} ${row + 4}`)
    })
  }
  const width = side * SCALE
  const data = new Uint8Array(width * width * 4).fill(255)
  for (let row = 0; row < side; row++) {
    let dark = false
    for (let column = 0; column < side; column++) {
      if (crossings.has(`${column} ${row}`)) dark = !dark
      if (!dark) continue
      for (let line = row * SCALE; line < (row + 1) * SCALE; line++) {
        const from = (line * width + column * SCALE) * 4
        data.fill(0, from, from + SCALE * 4)
      }
    }
  }
  return decodeQR({ width, height: width, data })
}

const modulesOf = (svg: string) => Number(/viewBox="0 0 (\d+) /.exec(svg)?.[1]) - 8

describe('a QR code is read by another library as', () => {
  test.each([
    ['a URI', `bitcoin:?lno=${OFFER}`],
    ['a URI in capitals', uriForQr(`bitcoin:?lno=${OFFER}&label=alice`)],
    ['a name', '₿alice@shop.test'],
    ['one character', 'x'],
  ])('%s', (_, text) => {
    expect(scan(qrSvg(text, { title: 't' }))).toBe(text)
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
