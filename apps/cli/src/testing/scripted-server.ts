import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runHoldfast } from './run-holdfast.ts'

type Answer = { readonly status?: number; readonly json: unknown }

/** A double of the server over real HTTP: answers each `METHOD path` with its answers in order, the last for ever. */
export async function startScriptedServer(answers: Record<string, readonly Answer[]>) {
  const seen: { request: string; body: unknown }[] = []
  const server = createServer(async (incoming, reply) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const request = `${incoming.method} ${incoming.url?.replace(/\?wait=.*/, '')}`
    const earlier = seen.filter((one) => one.request === request).length
    seen.push({ request, body: text === '' ? null : JSON.parse(text) })
    const expiresAt = Date.now() + 3_600_000
    const session: readonly Answer[] = [{ json: { token: 'token', expiresAt, owner: 'ab' } }]
    const list = request === 'POST /v1/sessions' ? session : (answers[request] ?? [])
    const { status = 200, json } = list[Math.min(earlier, list.length - 1)] ?? {
      status: 404,
      json: { code: 'ROUTE_NOT_FOUND', title: 'Nothing here.', detail: request, requestId: 'r', status: 404 },
    }
    const type = status < 400 ? 'application/json' : 'application/problem+json'
    reply.writeHead(status, { 'content-type': type }).end(JSON.stringify(json))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-cli-'))
  const keyFile = join(folder, 'key')
  writeFileSync(keyFile, `${'11'.repeat(32)}\n`)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    keyFile,
    /** Without those that open a session. */
    requests: () => seen.filter(({ request }) => request !== 'POST /v1/sessions'),
    holdfast: (...args: string[]) => runHoldfast(...args, '--url', url),
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      rmSync(folder, { recursive: true })
    },
  }
}

export function declined(status: number, code: string): Answer {
  return { status, json: { status, code, title: 'It is so.', detail: 'Do that.', requestId: 'r' } }
}
