import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSignedDns } from '@holdfast/devnet/dns/signed-dns'
import { resolveTxt } from '@holdfast/protocols/dnssec'
import { makeQuery } from '@holdfast/server/dns/dns-transport'
import { makeHttpApp } from '@holdfast/server/platform/http/app'
import { makeLog } from '@holdfast/server/platform/log'
import { makeProofsSlice } from '@holdfast/server/proofs/proofs-slice'
import { expect, test } from 'vitest'
import { COMMANDS } from '../commands.ts'
import { runCli } from '../run-cli.ts'

test.each(['chain', 'psbt'])(
  'what the server answers as form=%s, the command verifies offline',
  async (form) => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-proof-'))
    const dns = await startSignedDns({ folder: join(folder, 'dns'), zones: ['shop.test'] })
    const app = await makeHttpApp({
      config: { publicUrl: null, rateLimit: 0, trustedProxies: [] },
      log: makeLog({ level: 'silent' }),
      readiness: [],
      openapi: { title: 'Test', version: '0', description: '' },
    })
    try {
      const { anchors } = dns
      const query = makeQuery({ servers: [dns.address], timeoutMs: 2_000 })
      makeProofsSlice({
        anchors,
        remembered: () => null,
        clock: Date.now,
        resolveTxt: (name, nowSeconds) => resolveTxt(name, { query, anchors, nowSeconds }),
      }).routes(app)
      const name = 'alice.user._bitcoin-payment.shop.test'
      await dns.zone('shop.test').publish({ name, value: 'bitcoin:?lno=lno1x', ttlSeconds: 60 })
      const url = `/v1/names/alice@shop.test/proof?form=${form}`
      const answer = await app.inject({ url, headers: { accept: 'application/octet-stream' } })
      expect(answer.statusCode).toBe(200)
      // From here on there is no network.
      await dns.stop()
      const proof = join(folder, 'alice.proof')
      writeFileSync(proof, answer.rawPayload)
      const said: string[] = []
      const terminal = { out: (text: string) => said.push(text), err: (text: string) => said.push(text) }
      const args = ['verify', '₿alice@shop.test', '--proof', proof, '--anchor', dns.anchorFile]
      expect({ code: await runCli(args, COMMANDS, terminal), said: said.join('\n') }).toEqual({
        code: 0,
        said: expect.stringContaining('bitcoin:?lno=lno1x'),
      })
    } finally {
      await app.close()
      await dns.stop()
      await rm(folder, { recursive: true })
    }
  },
)
