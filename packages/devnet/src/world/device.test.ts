import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDevice } from './device.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-device-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a device keeps its keys, which only its owner may read', () => {
  const made = openDevice(join(folder, 'alice'), 'alice')
  expect(openDevice(join(folder, 'alice'), 'alice')).toEqual(made)
  expect(made.pubkey).toMatch(/^[0-9a-f]{64}$/)
  expect(made.seed).toHaveLength(32)
  for (const file of ['seed', 'nostr-secret-key']) {
    expect(statSync(join(folder, 'alice', file)).mode & 0o777).toBe(0o600)
  }
  expect(statSync(join(folder, 'alice')).mode & 0o777).toBe(0o700)
  expect(readFileSync(join(folder, 'alice', 'seed'), 'utf8')).toBe(
    `${Buffer.from(made.seed).toString('hex')}\n`,
  )
})

test('two devices have different keys', () => {
  const [one, other] = ['one', 'other'].map((name) => openDevice(join(folder, name), name))
  expect(one?.pubkey).not.toBe(other?.pubkey)
  expect(one?.seed).not.toEqual(other?.seed)
})

test('a damaged key is an error, and is never replaced by a new one', () => {
  openDevice(folder, 'alice')
  writeFileSync(join(folder, 'seed'), 'no hex\n')
  expect(() => openDevice(folder, 'alice')).toThrow()
  expect(readFileSync(join(folder, 'seed'), 'utf8')).toBe('no hex\n')
})
