import type { TrustAnchor } from '@holdfast/protocols/dnssec'
import { keyTag } from '@holdfast/protocols/dnssec/keys'
import type { NameCheck } from './check-name.ts'

/** For people. Nothing in it can carry a terminal's control characters: names and URIs are checked ASCII. */
export function asText(check: NameCheck): string {
  const { request, verdict, window, source } = check
  const { display } = verdict.name
  const rows: [string, string][] = []
  if (verdict.valid) {
    rows.push(['instruction', verdict.uri])
  } else {
    rows.push(['why', `${verdict.reason} (${verdict.code})`])
    if (verdict.hint) rows.push(['hint', verdict.hint])
  }
  rows.push(['checked for', isoTime(request.nowSeconds)])
  if (window) rows.push(['signatures', `${isoTime(window.notBefore)} to ${isoTime(window.notAfter)}`])
  if (verdict.valid) rows.push(['keep', `${verdict.ttlSeconds} s at most`])
  rows.push(['source', source], ['trusting', request.anchors.map(anchorText).join(', ')])
  if (verdict.name.hasPunycode) rows.push(['beware', 'other scripts have letters that look like Latin ones'])
  const title = `${display} is ${verdict.valid ? 'valid' : verdict.code === 'unavailable' ? 'unknown' : 'NOT valid'}`
  return [title, ...rows.map(([label, text]) => `  ${label.padEnd(11)}  ${text}`)].join('\n')
}

/** For programs; the fields are stable. Times are ISO 8601 in UTC. */
export function asJson({ request, verdict, window, source }: NameCheck) {
  return {
    name: verdict.name.text,
    valid: verdict.valid,
    ...(verdict.valid
      ? {
          uri: verdict.uri,
          offers: verdict.instruction.offers,
          ttlSeconds: verdict.ttlSeconds,
          expiresAt: isoTime(verdict.expiresAt),
        }
      : { code: verdict.code, reason: verdict.reason }),
    at: isoTime(request.nowSeconds),
    notBefore: window && isoTime(window.notBefore),
    notAfter: window && isoTime(window.notAfter),
    source,
    anchors: request.anchors.map(anchorText),
  }
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

/** A key by its zone and tag: `. 20326`. */
function anchorText(anchor: TrustAnchor): string {
  return `${anchor.zone} ${anchor.kind === 'ds' ? anchor.ds.keyTag : keyTag(anchor.key)}`
}
