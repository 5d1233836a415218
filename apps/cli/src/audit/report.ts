import { printable } from '../table.ts'
import type { SignatureCount } from './signed-requests.ts'
import type { ExportAudit } from './verify-export.ts'
import type { Finding, JournalAudit } from './verify-journal.ts'

export type Report = { readonly agrees: boolean; readonly json: unknown; readonly text: string }

/** So many findings are shown to people; JSON has all. */
const SHOWN = 50

export function journalReport({ entries, entities, compared, signatures, findings }: JournalAudit): Report {
  const states = [...compared].map(([stream, count]) => `${count} ${stream}`)
  return {
    agrees: findings.length === 0,
    json: {
      agrees: findings.length === 0,
      entries,
      entities,
      compared: Object.fromEntries(compared),
      signatures,
      findings,
    },
    text: [
      `${entries} entries of ${entities} entities read, states compared: ${states.join(', ') || 'none'}`,
      signatureText(signatures),
      ...shown(findings.map(findingText)),
      findings.length === 0 ? 'Everything agrees.' : `${findings.length} findings: this does NOT agree.`,
    ].join('\n'),
  }
}

export function exportReport({ head, entries, heads, signatures, findings }: ExportAudit): Report {
  const agrees = findings.length === 0
  const span =
    head.from === null && head.to === null
      ? 'whole chains'
      : `entries from ${head.from ?? 'the first'} to ${head.to ?? 'the last'}`
  return {
    agrees,
    json: {
      agrees,
      entries,
      entities: heads.length,
      exportedAt: head.exportedAt,
      entity: head.entity,
      from: head.from,
      to: head.to,
      signatures,
      heads: heads.map((one) => ({ ...one, seq: one.seq.toString() })),
      findings,
    },
    text: [
      `exported ${head.exportedAt}: ${head.entity ?? 'everything'}, ${span}; ${entries} entries of ${heads.length} entities`,
      signatureText(signatures),
      ...shown(findings.map(({ line, detail }) => `line ${line}: ${detail}`)),
      agrees
        ? 'Every hash and signature is right.'
        : `${findings.length} findings: this export is NOT what was written.`,
    ].join('\n'),
  }
}

function signatureText({ signed, before, events }: SignatureCount): string {
  return `people’s entries: ${signed} name one of ${events} signed requests whose signatures are right, ${before} are older than those`
}

function findingText(finding: Finding): string {
  if (finding.finding === 'position-missing')
    return `lane ${finding.lane}: position ${finding.position} is missing`
  const { stream, id } = finding.entity
  const detail = 'detail' in finding ? `: ${finding.detail}` : ''
  return `${stream}:${id}  ${finding.finding}${detail}`
}

function shown(lines: readonly string[]): string[] {
  const more = lines.length - SHOWN
  return [
    ...lines.slice(0, SHOWN).map((line) => `! ${printable(line)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ]
}
