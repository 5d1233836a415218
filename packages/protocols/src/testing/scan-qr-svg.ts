import decodeQR from 'qr/decode.js'

/** Pixels for each side of a module. */
const SCALE = 4

/** The text of a QR code of `qrSvg`: paints what lies within its outlines and has another library read the picture. */
export function scanQrSvg(svg: string): string {
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
