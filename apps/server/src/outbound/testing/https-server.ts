import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { TEST_CERTIFICATE, TEST_KEY } from './test-certificate.ts'

export type Asked = { host: string | undefined; path: string; servername: string | false | null }
export type Answer = {
  status?: number
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** Never ends its answer. */
  hangs?: boolean
}

export type HttpsServer = {
  readonly port: number
  readonly asked: Asked[]
  /** By path without query; `*` for all others. */
  answers: Record<string, Answer | ((url: URL) => Answer)>
  stop(): Promise<void>
}

/** A real HTTPS server on loopback that plays a stranger's; its certificate is for address.test and callback.test. */
export async function startHttpsServer(answers: HttpsServer['answers'] = {}): Promise<HttpsServer> {
  const asked: Asked[] = []
  const server: Server = createServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, (request, response) => {
    const url = new URL(request.url ?? '/', `https://${request.headers.host}`)
    const { servername } = request.socket as unknown as { servername: string | false | null }
    asked.push({ host: request.headers.host, path: request.url ?? '', servername })
    const found = world.answers[url.pathname] ?? world.answers['*'] ?? { status: 404 }
    const { status = 200, headers = {}, body = '', hangs } = typeof found === 'function' ? found(url) : found
    response.writeHead(status, headers)
    if (hangs) response.write('{')
    else response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const world: HttpsServer = {
    port: (server.address() as AddressInfo).port,
    asked,
    answers,
    async stop() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
  return world
}

export const json = (value: unknown): Answer => ({ body: JSON.stringify(value) })
