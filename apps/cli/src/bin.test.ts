import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hexToBytes } from '@holdfast/protocols/hex'
import { BIP353_PROOFS } from '@holdfast/protocols/rfc9102/testing/bip353-proofs'
import { expect, test } from 'vitest'

const BIN = join(import.meta.dirname, '..', 'bin', 'holdfast.mjs')

test('the program runs in the folder where it is called, and its exit code is the answer', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bin-'))
  writeFileSync(join(folder, 'simple.psbt'), hexToBytes(BIP353_PROOFS.simple))
  const run = async (time: string) => {
    const args = ['verify', 'simple@dnssec_proof_tests.bitcoin.ninja', '--proof', 'simple.psbt', '--at', time]
    const child = spawn(process.execPath, [BIN, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = child.stdout.setEncoding('utf8').toArray()
    const errors = child.stderr.setEncoding('utf8').toArray()
    const [code] = await once(child, 'close')
    return { code, out: (await output).join(''), err: (await errors).join('') }
  }
  try {
    const [now, later] = await Promise.all([run('2025-08-07T18:00:00Z'), run('2026-01-01T00:00:00Z')])
    expect(now).toMatchObject({ code: 0, err: '' })
    expect(now.out).toContain('is valid')
    expect(later).toMatchObject({ code: 1, err: '' })
    expect(later.out).toContain('signature-expired')
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a server on this machine is asked past the proxy of the shell', async () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const env = { PATH: process.env.PATH, NODE_USE_ENV_PROXY: '1', http_proxy: 'http://127.0.0.1:1' }
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const child = spawn(process.execPath, [BIN, 'zone', 'status', '--url', url], { env, stdio: 'ignore' })
  await once(child, 'close')
  server.close()
  expect(asked).toHaveLength(1)
})
