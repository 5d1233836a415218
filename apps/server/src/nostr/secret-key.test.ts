import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { npubEncode, nsecEncode } from 'nostr-tools/nip19'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keptServerKey } from './kept-server-key.ts'
import { readSecretKey } from './secret-key.ts'

let dataDir: string
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'holdfast-nostr-'))
})
afterEach(() => rm(dataDir, { recursive: true }))

test('a key is made once and kept where only we may read it', async () => {
  const key = await keptServerKey(dataDir)
  expect(readSecretKey(key.reveal())).toBe(key.reveal())
  expect((await keptServerKey(dataDir)).reveal()).toBe(key.reveal())
  expect((await stat(join(dataDir, 'nostr.key'))).mode & 0o777).toBe(0o600)
})

test('a file that holds something else is left alone', async () => {
  await writeFile(join(dataDir, 'nostr.key'), 'half a ke')
  await expect(keptServerKey(dataDir)).rejects.toThrow('holds no Nostr key')
})

test.each([
  ['1'.padStart(64, '0'), '1'.padStart(64, '0')],
  [nsecEncode(new Uint8Array(32).fill(7)), '07'.repeat(32)],
  ['0'.repeat(64), null],
  ['f'.repeat(64), null],
  ['FF'.repeat(32), null],
  ['01'.repeat(31), null],
  ['nsec1qqqq', null],
  [npubEncode('07'.repeat(32)), null],
])('the secret key in %s: %s', (text, key) => {
  expect(readSecretKey(text)).toBe(key)
})
