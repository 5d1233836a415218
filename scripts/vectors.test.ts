import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeBolt12String, encodeOffer, writeTlvStream } from '@holdfast/protocols/bolt12'
import { describe, expect, test } from 'vitest'

const ISSUER = '02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619'
const GOOD = encodeOffer({ issuerId: ISSUER }).text
const BAD = encodeBolt12String('lno', writeTlvStream([{ type: 10n, value: Uint8Array.of(0xff) }]))
const FIELDS = [{ type: 22, length: 33, hex: ISSUER }]

function vectors(files: Record<string, unknown>, ...options: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'vectors-'))
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), JSON.stringify(content))
  const script = join(import.meta.dirname, 'vectors.ts')
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, folder, ...options], {
    encoding: 'utf8',
  })
  rmSync(folder, { recursive: true })
  return { stdout, stderr, status, last: stdout.trimEnd().split('\n').at(-1) }
}

const AGREEING = {
  'offers-test.json': [
    { description: 'good', valid: true, bolt12: GOOD, fields: FIELDS },
    { description: 'bad', valid: false, bolt12: BAD },
  ],
  'format-string-test.json': [{ comment: 'upper case', valid: true, string: GOOD.toUpperCase() }],
}

test('vectors that our parser agrees with pass', () => {
  expect(vectors(AGREEING)).toMatchObject({ status: 0, last: '3 passed, 0 failed' })
})

test.each([
  ['a valid offer that we refuse', { description: 'x', valid: true, bolt12: BAD }, 'refused: bad-utf8'],
  ['an invalid offer that we accept', { description: 'x', valid: false, bolt12: GOOD }, 'accepted'],
  ['other fields', { description: 'x', valid: true, bolt12: GOOD, fields: [] }, ISSUER],
])('%s is a mismatch, shown in detail', (_, vector, detail) => {
  const { status, last, stdout } = vectors({ 'v.json': [vector] })
  expect({ status, last }).toEqual({ status: 1, last: '0 passed, 1 failed' })
  expect(stdout).toContain(detail)
})

test('--json answers one object', () => {
  const { stdout, status } = vectors({ ...AGREEING, 'other.json': [{ a: 1 }] }, '--json')
  expect(status).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ passed: 3, failed: 0, skipped: ['other.json'] })
})

describe('exit code 2 and a sentence are the answer to', () => {
  test('a folder without vectors', () => {
    expect(vectors({ 'other.json': { a: 1 } })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('no vectors'),
    })
  })
  test('an unknown option', () => {
    expect(vectors(AGREEING, '--jsn')).toMatchObject({ status: 2, stderr: expect.stringContaining('usage') })
  })
  test('two folders', () => {
    expect(vectors(AGREEING, 'another')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('usage'),
    })
  })
})
