import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildPackage } from '../build/build-package.ts'
import { openInChromium, serveFiles } from './testing/chromium.ts'
import { PUBLISHED_CASES } from './testing/published-cases.ts'

const PAGE = `<!doctype html><title>working</title><script type="module">
  import { verifyPsbtProof } from './index.js'
  const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16))
  const said = []
  try {
    for (const { proof, at } of await (await fetch('cases.json')).json()) {
      const verified = await verifyPsbtProof(bytes(proof), { at: new Date(at) })
      said.push(verified.valid ? verified.uri : verified.code)
    }
  } catch (error) {
    said.push(String(error))
  }
  document.title = JSON.stringify(said)
</script><body></body>`

test('the built package verifies the proofs printed in BIP-353 in a real browser', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bip353-'))
  await buildPackage(folder)
  const bundle = readFileSync(join(folder, 'index.js'), 'utf8')
  const files = new Map([
    ['/', { type: 'text/html; charset=utf-8', body: PAGE }],
    ['/index.js', { type: 'text/javascript; charset=utf-8', body: bundle }],
    ['/cases.json', { type: 'application/json', body: JSON.stringify(PUBLISHED_CASES) }],
  ])
  const site = await serveFiles((path) => files.get(path) ?? null)
  try {
    const document = await openInChromium(site.url)
    const said = /<title>(.*)<\/title>/s.exec(document)?.[1]?.replaceAll('&amp;', '&')
    expect(JSON.parse(said ?? 'null')).toEqual(
      PUBLISHED_CASES.map(({ expected }) => expect.stringContaining(expected)),
    )
  } finally {
    await site.stop()
    await rm(folder, { recursive: true })
  }
}, 120_000)
