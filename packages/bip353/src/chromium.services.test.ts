import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatBindTrustAnchors } from '@holdfast/protocols/dnssec'
import { VALUE_TEXT, withShop } from '@holdfast/protocols/dnssec/testing/validation-cases'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPackage } from '../build/build-package.ts'
import { openInChromium, type ServedFile, serveFiles } from './testing/chromium.ts'
import { answerQuery, queryInUrl } from './testing/doh-service.ts'
import { PUBLISHED_CASES } from './testing/published-cases.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-bip353-'))
const world = withShop({})
let bundle: string

beforeAll(async () => {
  await buildPackage('bip353', folder)
  bundle = readFileSync(join(folder, 'index.js'), 'utf8')
}, 120_000)
afterAll(() => rm(folder, { recursive: true }))

/** Runs the body of an async function in a page that has the built package as `bip353`, and gives back its value. */
async function inBrowser(script: string): Promise<unknown> {
  const page = `<!doctype html><title>null</title><script type="module">
    import * as bip353 from './index.js'
    const run = async () => { ${script} }
    document.title = JSON.stringify(await run().catch((error) => ({ failed: String(error) })))
  </script>`
  const site = await serveFiles((path): ServedFile | null => {
    if (path === '/') return { type: 'text/html; charset=utf-8', body: page }
    if (path === '/index.js') return { type: 'text/javascript; charset=utf-8', body: bundle }
    if (!path.startsWith('/dns-query?')) return null
    const query = queryInUrl(new URL(path, site.url))
    return { type: 'application/dns-message', body: answerQuery(world, query) }
  })
  try {
    const document = await openInChromium(site.url)
    const title = /<title>(.*?)<\/title>/s.exec(document)?.[1] ?? 'null'
    return JSON.parse(title.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'))
  } finally {
    await site.stop()
  }
}

test('in a real browser the built package verifies the proofs printed in BIP-353', async () => {
  const said = await inBrowser(`
    const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16))
    const said = []
    for (const { proof, at } of ${JSON.stringify(PUBLISHED_CASES)}) {
      const verified = await bip353.verifyPsbtProof(bytes(proof), { at: new Date(at) })
      said.push(verified.valid ? verified.uri : verified.code)
    }
    return said`)
  expect(said).toEqual(PUBLISHED_CASES.map(({ expected }) => expect.stringContaining(expected)))
}, 120_000)

test('in a real browser it resolves a name over HTTPS, and its own proof verifies', async () => {
  const said = await inBrowser(`
    const anchors = bip353.parseTrustAnchors(${JSON.stringify(formatBindTrustAnchors(world.anchors))})
    const query = bip353.dohQuery(new URL('/dns-query', location))
    const { uri, proof } = await bip353.resolveName('alice@shop.test', { query, anchors })
    const { valid } = await bip353.verifyNameProof('alice@shop.test', proof, { anchors })
    return { uri, valid }`)
  expect(said).toEqual({ uri: VALUE_TEXT, valid: true })
}, 120_000)
