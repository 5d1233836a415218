import { correction, generate } from 'lean-qr'
import { toSvgPath } from 'lean-qr/extras/svg'
import { escapeXml } from './escape-xml.ts'

/** ISO/IEC 18004 §6.3.8: four modules of light all around. */
const QUIET_ZONE = 4
/** Version 40 at level M holds this many bytes in byte mode; what is longer cannot be scanned anyway. */
const MAX_BYTES = 2_331

/** The text does not fit a QR code. */
export class QrTooLongError extends Error {
  override readonly name = 'QrTooLongError'
}

/**
 * A QR code as an SVG image that scales: dark on light whatever the page's colours, with `title` for those who do not
 * see it. At least level M; the modes are mixed so that runs of capitals and digits take little room.
 */
export function qrSvg(text: string, { title }: { title: string }): string {
  if (new TextEncoder().encode(text).length > MAX_BYTES) throw new QrTooLongError('too long for a QR code')
  const code = generate(text, { minCorrectionLevel: correction.M })
  const side = code.size + 2 * QUIET_ZONE
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}" role="img" shape-rendering="crispEdges">`,
    `<title>${escapeXml(title)}</title>`,
    `<path fill="#fff" d="M0 0h${side}v${side}H0z"/>`,
    `<path fill="#000" transform="translate(${QUIET_ZONE} ${QUIET_ZONE})" d="${toSvgPath(code)}"/>`,
    '</svg>',
  ].join('')
}
