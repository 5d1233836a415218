// npm run vectors -- <folder>: runs our parsers against a folder of official test vectors.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  Bolt12Error,
  decodeBolt12String,
  encodeBolt12String,
  parseOffer,
  readTlvStream,
  writeTlvStream,
} from '@holdfast/protocols/bolt12'

const USAGE = `usage: npm run vectors -- <folder> [--json]

Runs every JSON file of the folder that holds vectors of a known form:
  BOLT 12 offers-test.json         objects with bolt12, valid and, where valid, fields
  BOLT 12 format-string-test.json  objects with string and valid
One line a file, each mismatch in detail, and last "N passed, N failed".
  --json   one JSON object instead
Exit code: 0 all passed, 1 a mismatch, 2 no vectors were found or the folder cannot be read.`

type Vector = Record<string, unknown>
type Mismatch = { vector: string; expected: string; got: string }
type Report = { file: string; kind: string; passed: number; mismatches: Mismatch[] }
type Kind = {
  name: string
  recognizes(vector: Vector): boolean
  describe(vector: Vector): string
  /** Null when our parser agrees with the vector. */
  check(vector: Vector): Omit<Mismatch, 'vector'> | null
}

const KINDS: Kind[] = [
  {
    name: 'BOLT 12 offers',
    recognizes: ({ bolt12, valid }) => typeof bolt12 === 'string' && typeof valid === 'boolean',
    describe: ({ description }) => String(description),
    check: ({ bolt12, valid, fields }) =>
      checkOffer(bolt12 as string, valid as boolean) ??
      (valid ? checkFields(bolt12 as string, fields) : null),
  },
  {
    name: 'BOLT 12 format strings',
    recognizes: ({ string, valid }) => typeof string === 'string' && typeof valid === 'boolean',
    describe: ({ comment, string }) => `${comment}: ${JSON.stringify(string)}`,
    check: ({ string, valid }) => checkOffer(string as string, valid as boolean),
  },
]

function checkOffer(text: string, valid: boolean): Omit<Mismatch, 'vector'> | null {
  const expected = valid ? 'accepted' : 'refused'
  try {
    parseOffer(text)
    return valid ? null : { expected, got: 'accepted' }
  } catch (error) {
    if (!(error instanceof Bolt12Error)) return { expected, got: `a fault: ${String(error)}` }
    return valid ? { expected, got: `refused: ${error.code}, ${error.message}` } : null
  }
}

/** The vector's own list of fields, and that what was read can be written again. */
function checkFields(text: string, fields: unknown): Omit<Mismatch, 'vector'> | null {
  const { bytes, text: canonical } = decodeBolt12String(text, 'lno')
  const records = readTlvStream(bytes)
  const got = JSON.stringify(
    records.map(({ type, value }) => ({
      type: Number(type),
      length: value.length,
      hex: Buffer.from(value).toString('hex'),
    })),
  )
  if (fields !== undefined && got !== JSON.stringify(fields)) return { expected: JSON.stringify(fields), got }
  const written = encodeBolt12String('lno', writeTlvStream(records))
  return written === canonical ? null : { expected: canonical, got: written }
}

function run(file: string, folder: string): Report | null {
  const content: unknown = JSON.parse(readFileSync(join(folder, file), 'utf8'))
  if (!Array.isArray(content) || content.length === 0) return null
  const vectors = content as Vector[]
  const kind = KINDS.find((kind) => vectors.every((vector) => kind.recognizes(vector)))
  if (kind === undefined) return null
  const mismatches = vectors.flatMap((vector) => {
    const mismatch = kind.check(vector)
    return mismatch === null ? [] : [{ vector: kind.describe(vector), ...mismatch }]
  })
  return { file, kind: kind.name, passed: vectors.length - mismatches.length, mismatches }
}

function readArguments() {
  const { values, positionals } = parseArgs({
    strict: false,
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, json: { type: 'boolean' } },
  })
  const unknown = Object.keys(values).some((name) => name !== 'help' && name !== 'json')
  return { values, positionals, unknown }
}

function main(): number {
  const { values, positionals, unknown } = readArguments()
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  const [folder, ...more] = positionals
  if (folder === undefined || more.length > 0 || unknown) {
    console.error(USAGE)
    return 2
  }
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    console.error(`${folder} is not a folder that can be read.`)
    return 2
  }
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
  const reports: Report[] = []
  const skipped: string[] = []
  for (const file of files) {
    const report = run(file, folder)
    if (report === null) skipped.push(file)
    else reports.push(report)
  }
  const passed = reports.reduce((sum, report) => sum + report.passed, 0)
  const failed = reports.reduce((sum, report) => sum + report.mismatches.length, 0)
  if (values.json) console.log(JSON.stringify({ files: reports, skipped, passed, failed }))
  else print(reports, skipped, passed, failed)
  if (reports.length === 0) {
    console.error(`${folder} holds no vectors of a known form.`)
    return 2
  }
  return failed === 0 ? 0 : 1
}

function print(reports: Report[], skipped: string[], passed: number, failed: number): void {
  for (const { file, kind, passed, mismatches } of reports) {
    console.log(`${file.padEnd(32)} ${kind.padEnd(24)} ${passed} passed, ${mismatches.length} failed`)
    for (const { vector, expected, got } of mismatches) {
      console.log(`  ${vector}\n    expected: ${expected}\n    got:      ${got}`)
    }
  }
  for (const file of skipped) console.log(`${file.padEnd(32)} of no known form, left out`)
  console.log(`${passed} passed, ${failed} failed`)
}

process.exitCode = main()
