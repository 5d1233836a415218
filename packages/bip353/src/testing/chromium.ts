import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PAGE_WITHIN_MS = 60_000

export type ServedFile = { readonly type: string; readonly body: string | Uint8Array }

/** Files served on this machine only, by path and query; `null` is not there. */
export async function serveFiles(read: (path: string) => ServedFile | null) {
  const server = createServer((request, response) => {
    const file = read(request.url ?? '/')
    response.writeHead(file ? 200 : 404, { 'content-type': file?.type ?? 'text/plain' }).end(file?.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** Opens a page in headless Chromium and gives back its document once the network and timers are idle. */
export async function openInChromium(url: string): Promise<string> {
  const chromium = startChromium([`--virtual-time-budget=${PAGE_WITHIN_MS}`, '--dump-dom', url])
  try {
    const output = await chromium.stdout.setEncoding('utf8').toArray()
    return output.join('')
  } finally {
    await chromium.end()
  }
}

/** Opens a page, whose time is that of the machine, until `until` is settled. */
export async function openInChromiumUntil<T>(url: string, until: Promise<T>): Promise<T> {
  const chromium = startChromium(['--remote-debugging-port=0', url])
  chromium.stdout.resume()
  try {
    return await until
  } finally {
    await chromium.end()
  }
}

function startChromium(more: readonly string[]) {
  const profile = mkdtempSync(join(tmpdir(), 'holdfast-chromium-'))
  const flags = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    `--user-data-dir=${profile}`,
  ]
  const child = spawn(findChromium(), [...flags, ...more], {
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: PAGE_WITHIN_MS,
  })
  return {
    stdout: child.stdout,
    async end() {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      // Its children may still write for a moment.
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** @throws unless HOLDFAST_CHROMIUM names one, as `npm run test:services` sees to. */
function findChromium(): string {
  const named = process.env.HOLDFAST_CHROMIUM
  if (!named) throw new Error('this test needs Chromium: run it by npm run test:services')
  return named
}
