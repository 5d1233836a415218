import { join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'
import { expect, test } from 'vitest'

/** What a page loads that uses everything; most of it is the curve that Nostr signs with. */
const MAX_BYTES = 60_000
const MAX_GZIPPED_BYTES = 22_000

/** All that the client may expect of where it runs: browsers have it, also on pages without TLS, and so has Node. */
const { URL, URLSearchParams, AbortController, AbortSignal, TextEncoder, TextDecoder, Response } = globalThis
const { crypto, setTimeout, clearTimeout, btoa } = globalThis
const PLATFORM = {
  ...{ URL, URLSearchParams, AbortController, AbortSignal, TextEncoder, TextDecoder, Response, Uint8Array },
  ...{ setTimeout, clearTimeout, btoa },
  crypto: { getRandomValues: (array: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(array) },
}

async function bundled(format: 'esm' | 'iife'): Promise<string> {
  const bundle = await rolldown({ input: join(import.meta.dirname, 'index.ts'), platform: 'browser' })
  try {
    const { output } = await bundle.generate({ format, minify: true, name: 'Holdfast' })
    expect(output).toHaveLength(1)
    return output[0].code
  } finally {
    await bundle.close()
  }
}

test(`a page loads at most ${MAX_GZIPPED_BYTES} bytes, and nothing of Node`, async () => {
  const code = await bundled('esm')
  expect(code.match(/node:\w+|\bimport\s*[({*"'`]|\brequire\s*\(|\bBuffer\b|\bprocess\./g)).toBeNull()
  expect(code.length).toBeLessThan(MAX_BYTES)
  expect(gzipSync(code).length).toBeLessThan(MAX_GZIPPED_BYTES)
})

test('it runs where only what browsers have is there', async () => {
  const asked: string[] = []
  const fetch = async (url: string, init: { headers: Record<string, string> }) => {
    asked.push(`${url} ${Object.keys(init.headers).join(' ')}`)
    const body = url.endsWith('/v1/sessions')
      ? { token: 'token', expiresAt: Date.now() + 3_600_000, owner: 'ab' }
      : { data: { task: { id: 'task-1', payoutMsat: '5' } } }
    return new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } })
  }
  const context = createContext({ ...PLATFORM, fetch })
  const code = `${await bundled('iife')}
    const signer = Holdfast.secretKeySigner(new Uint8Array(32).fill(1))
    const { escrow } = Holdfast.createHoldfastClient({ baseUrl: 'http://holdfast.test', signer })
    escrow.task('task-1').then((task) => [task.payoutMsat, Holdfast.makeWorkerSecret().paymentHash.length].join())`
  expect(await runInContext(code, context)).toBe('5,64')
  expect(asked).toEqual([
    'http://holdfast.test/v1/sessions accept idempotency-key authorization',
    'http://holdfast.test/graphql accept content-type authorization',
  ])
})
