import type { OpenDatabase } from '@holdfast/server/platform/database'
import { auditEntity } from '@holdfast/server/platform/journal/audit-entity'
import { type Command, EXIT, type ExitCode, type Terminal, UsageError } from '../command.ts'
import { DATABASE_HELP, DATABASE_OPTIONS, withDatabase } from '../database/connection.ts'
import { readArguments, take } from '../server/read-arguments.ts'
import { type EntityName, readEntityName } from './entity-name.ts'
import { exportJournal } from './export-journal.ts'
import { findKept } from './find-kept.ts'
import { REPLAYS } from './replays.ts'
import { exportReport, journalReport, type Report } from './report.ts'
import { makeSignatureFollower, readSignedRequests, signedSince } from './signed-requests.ts'
import { verifyExport } from './verify-export.ts'
import { asFinding, type JournalAudit, signatureFinding, verifyJournal } from './verify-journal.ts'

const HELP = `usage: holdfast audit verify [<id>] [--kept FILE] [options]
       holdfast audit verify --file FILE [--json]
       holdfast audit export [<id>] [--from TIME] [--to TIME] [--out FILE] [options]

Every change is an entry of an append-only journal, linked to the one before it by its hash.

  verify               recomputes every hash, rebuilds every state from the entries alone and compares it with the
                       table; finds entries that were changed or taken away, and rows that nobody wrote; verifies
                       the signature of each request that an entry names, and that it is the actor's
    --file FILE        verifies an export instead, offline: neither server nor database is asked
    --kept FILE        an export of earlier: its entries must still be there, which a journal alone cannot tell
  export               JSON lines: a head that says how hashes are made, the entries, each signed
                       request before the first entry that names it, an end
    --from TIME        only entries of this moment and later, such as 2026-01-31T00:00:00Z; UTC unless it says otherwise
    --to TIME          only entries before
    --out FILE         into a new file instead of the terminal
  <id>                 only one entity: the id of an escrow, or stream:id, such as payment:…, zone:shop.example
${DATABASE_HELP}

An export tells who agreed with whom on what. It holds no secret key and no preimage.

exit code: 0 everything agrees, 1 something does not, 2 the arguments or files cannot be used,
           3 the database does not answer`

const OPTIONS = {
  ...DATABASE_OPTIONS,
  file: { type: 'string' },
  kept: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  out: { type: 'string' },
} as const

type Values = { readonly [Name in keyof typeof OPTIONS]?: Name extends 'json' ? boolean : string }

export const auditCommand: Command = {
  name: 'audit',
  summary: 'For operators: verify the journal and what it led to, or export it; verify an export.',
  help: HELP,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, OPTIONS)
    const [action, ...words] = positionals
    const [word] = words.length === 0 ? [] : take(words, '<id>')
    const entity = word === undefined ? null : readEntityName(word)
    switch (action) {
      case 'verify':
        refuseOptions(values, ['from', 'to', 'out'], 'verify')
        return values.file === undefined
          ? verify(entity, values, terminal)
          : verifyFile(values.file, entity, values, terminal)
      case 'export':
        refuseOptions(values, ['file', 'kept'], 'export')
        return exportEntries(entity, values, terminal)
      default:
        throw new UsageError('what? verify or export')
    }
  },
}

async function verify(entity: EntityName | null, values: Values, terminal: Terminal): Promise<ExitCode> {
  if (entity !== null && values.kept !== undefined)
    throw new UsageError('--kept compares the whole journal; leave the id out')
  const kept = values.kept === undefined ? null : await verifyExport(values.kept, terminal)
  if (kept && kept.findings.length > 0) return tell(exportReport(kept), values, terminal)
  return withDatabase(values, terminal, async (database) => {
    const audit =
      entity === null ? await verifyJournal({ database, terminal }) : await verifyOne(database, entity)
    const missing = kept ? await findKept(database, kept.heads) : []
    return tell(journalReport({ ...audit, findings: [...audit.findings, ...missing] }), values, terminal)
  })
}

async function verifyOne(database: OpenDatabase, entity: EntityName): Promise<JournalAudit> {
  const audit = await auditEntity(database, entity, REPLAYS.get(entity.stream))
  const signatures = makeSignatureFollower(await signedSince(database))
  const intact = audit.verdict === 'intact' ? audit : null
  const entries = intact?.entries ?? []
  for (const event of await readSignedRequests(database, entries, signatures.knows)) signatures.learn(event)
  const findings = entries.flatMap((entry) => {
    const fault = signatures.check(entry)
    return fault === null ? [] : [signatureFinding(entry, fault)]
  })
  return {
    entries: entries.length,
    entities: 1,
    compared: new Map(intact?.compared ? [[entity.stream, 1]] : []),
    signatures: signatures.count(),
    findings: audit.verdict === 'intact' ? findings : [asFinding(entity, audit)],
  }
}

async function verifyFile(
  file: string,
  entity: EntityName | null,
  values: Values,
  terminal: Terminal,
): Promise<ExitCode> {
  if (entity !== null || values.kept !== undefined || values.data !== undefined)
    throw new UsageError('--file verifies a whole export, and asks nobody')
  return tell(exportReport(await verifyExport(file, terminal)), values, terminal)
}

async function exportEntries(
  entity: EntityName | null,
  values: Values,
  terminal: Terminal,
): Promise<ExitCode> {
  const wish = {
    entity,
    from: moment('--from', values.from),
    to: moment('--to', values.to),
    file: values.out ?? null,
    now: Date.now(),
  }
  return withDatabase(values, terminal, async (database) => {
    const { entries, entities } = await exportJournal({ database, terminal }, wish)
    terminal.err(`${entries} entries of ${entities} entities`)
    return entity !== null && entries === 0 ? EXIT.no : EXIT.ok
  })
}

function tell(report: Report, { json }: Values, terminal: Terminal): ExitCode {
  terminal.out(json ? JSON.stringify(report.json, null, 2) : report.text)
  return report.agrees ? EXIT.ok : EXIT.no
}

/** @throws UsageError */
function refuseOptions(values: Values, names: readonly (keyof Values)[], action: string): void {
  const given = names.find((name) => values[name] !== undefined)
  if (given !== undefined) throw new UsageError(`--${given} has no meaning for ${action}`)
}

/** @throws UsageError */
function moment(option: string, text: string | undefined): number | null {
  if (text === undefined) return null
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(text)
  const ms = /^\d{4}-\d\d-\d\d/.test(text)
    ? Date.parse(hasZone || !text.includes('T') ? text : `${text}Z`)
    : Number.NaN
  if (Number.isNaN(ms)) throw new UsageError(`${option} takes a moment such as 2026-01-31T00:00:00Z`)
  return ms
}
