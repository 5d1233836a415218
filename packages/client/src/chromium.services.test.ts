import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { openInChromiumUntil } from '@holdfast/bip353/testing/chromium'
import { lastingPort } from '@holdfast/lightning/lasting-port'
import { startGraphqlWorld } from '@holdfast/server/escrow/graphql/testing/graphql-world'
import { HOUR_MS, PAYOUT_MSAT } from '@holdfast/server/escrow/testing/escrow-world'
import { withDatabase } from '@holdfast/server/platform/testing/with-database'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHoldfastClient, secretKeySigner } from './index.ts'

const database = withDatabase()
let world: Awaited<ReturnType<typeof startGraphqlWorld>>
/** Of the one site whose pages the server lets in from another origin. */
let knownPort: number
let bundle: string

beforeAll(async () => {
  knownPort = await lastingPort('127.0.0.1')
  world = await startGraphqlWorld(database, { corsOrigins: [`http://127.0.0.1:${knownPort}`] })
  const built = await rolldown({ input: join(import.meta.dirname, 'index.ts'), platform: 'browser' })
  const { output } = await built.generate({ format: 'esm', minify: true })
  bundle = output[0].code
  await built.close()
}, 120_000)
afterAll(() => world.close())

/** A site with the page, the client and, behind it, the server, all of one origin; `said` is what the page said. */
async function serve(
  script: string,
  { onFirstEvent, port = 0 }: { onFirstEvent?: () => void; port?: number } = {},
) {
  const page = `<!doctype html><script type="module">
    import * as holdfast from './index.js'
    const run = async () => { ${script} }
    const said = await run().catch((error) => ({ failed: String(error) }))
    await fetch('/said', { method: 'POST', body: JSON.stringify(said) })
  </script>`
  const said = Promise.withResolvers<unknown>()
  let isHeard = false
  /** A stream begins with a comment, before what it is about was read. */
  const hear = (chunk: Buffer) => {
    if (isHeard || !chunk.includes('event: next')) return
    isHeard = true
    onFirstEvent?.()
  }
  const pass = (asked: IncomingMessage, answer: ServerResponse) => {
    const { method, headers, url = '/' } = asked
    const onwards = request(`${world.url}${url}`, { method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(answer)
      if (headers.accept === 'text/event-stream') response.on('data', hear)
    })
    asked.pipe(onwards)
    onwards.on('error', () => answer.destroy())
    answer.on('close', () => onwards.destroy())
  }
  const server = createServer(async (asked, answer) => {
    if (asked.url === '/') answer.setHeader('content-type', 'text/html; charset=utf-8').end(page)
    else if (asked.url === '/index.js') answer.setHeader('content-type', 'text/javascript').end(bundle)
    else if (asked.url === '/said') {
      const text = (await asked.setEncoding('utf8').toArray()).join('')
      answer.end()
      said.resolve(JSON.parse(text))
    } else pass(asked, answer)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    said: said.promise,
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

test('in a real browser a task is read, and watched as it changes', async () => {
  const clientOf = (key: number) =>
    createHoldfastClient({ baseUrl: world.url, signer: secretKeySigner(new Uint8Array(32).fill(key)) }).escrow
  const milestone = { title: 'It', payoutMsat: PAYOUT_MSAT, workMs: HOUR_MS, objectionMs: HOUR_MS }
  const plan = { title: 'Watched', deadlineAt: Date.now() + 240 * HOUR_MS, milestones: [milestone] }
  const taskId = (await clientOf(1).createTask({ plan })).task.id
  await clientOf(1).publishTask({ taskId })
  let applied: Promise<unknown> | undefined
  const site = await serve(
    `
    const { escrow } = holdfast.createHoldfastClient({ baseUrl: location.origin })
    const { payoutMsat } = await escrow.task('${taskId}')
    const counts = []
    for await (const { task } of escrow.watchTask('${taskId}')) {
      counts.push(task.applicationCount)
      if (task.applicationCount > 0) break
    }
    return { payout: String(payoutMsat), counts }`,
    {
      onFirstEvent: () => {
        applied = clientOf(2).applyToTask({ taskId, message: 'Me.' })
      },
    },
  )
  try {
    expect(await openInChromiumUntil(site.url, site.said)).toEqual({
      payout: String(PAYOUT_MSAT),
      counts: [0, 1],
    })
  } finally {
    await applied
    await site.stop()
  }
}, 120_000)

test('a page of another origin that the operator has named signs, changes and watches; no other does', async () => {
  const script = `
    const signer = holdfast.secretKeySigner(new Uint8Array(32).fill(7))
    const { escrow } = holdfast.createHoldfastClient({ baseUrl: '${world.url}', signer, clock: {
      now: Date.now, random: Math.random, sleep: async () => {},
    } })
    const milestone = { title: 'It', payoutMsat: ${PAYOUT_MSAT}n, workMs: ${HOUR_MS}, objectionMs: ${HOUR_MS} }
    const plan = { title: 'Far', deadlineAt: Date.now() + 240 * ${HOUR_MS}, milestones: [milestone] }
    const { task } = await escrow.createTask({ plan })
    await escrow.publishTask({ taskId: task.id })
    for await (const { task: seen } of escrow.watchTask(task.id)) return seen.title`
  const said = await Promise.all(
    [knownPort, 0].map(async (port) => {
      const site = await serve(script, { port })
      try {
        return await openInChromiumUntil(site.url, site.said)
      } finally {
        await site.stop()
      }
    }),
  )
  expect(said).toEqual(['Far', { failed: expect.stringContaining('NETWORK_FAILED') }])
}, 120_000)
