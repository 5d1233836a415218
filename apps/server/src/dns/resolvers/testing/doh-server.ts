// A DNS over HTTPS server for tests (RFC 8484 over HTTP/2, with or without TLS), on this machine only.
import { once } from 'node:events'
import {
  createSecureServer,
  createServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'

export type DohRequest = { readonly headers: IncomingHttpHeaders; readonly body: Uint8Array }
export type DohReply =
  | { readonly status?: number; readonly type?: string; readonly body: Uint8Array }
  | 'silence'
  /** A part of the answer, then the connection ends. */
  | 'break-off'

export type DohServer = {
  /** Where queries go. */
  readonly url: string
  readonly requests: DohRequest[]
  /** How many connections were made. */
  readonly connections: () => number
  /** Ends every connection, and goes on listening. */
  hangUp(): void
  stop(): Promise<void>
}

export async function startDohServer(
  reply: (request: DohRequest) => DohReply,
  tls?: { key: string; cert: string },
): Promise<DohServer> {
  const requests: DohRequest[] = []
  const sessions = new Set<Http2Session>()
  let connections = 0
  const server = tls ? createSecureServer(tls) : createServer()
  server.on('session', (session) => {
    connections += 1
    sessions.add(session)
    session.on('close', () => sessions.delete(session)).on('error', () => session.destroy())
  })
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => stream.close())
    void (async () => {
      const parts: Uint8Array[] = []
      for await (const part of stream) parts.push(part as Uint8Array)
      const request = { headers, body: new Uint8Array(Buffer.concat(parts)) }
      requests.push(request)
      const answer = reply(request)
      if (answer === 'silence') return
      const {
        status = 200,
        type = 'application/dns-message',
        body,
      } = answer === 'break-off' ? { body: null } : answer
      stream.respond({ ':status': status, 'content-type': type })
      if (body === null) stream.write('half', () => stream.session?.destroy())
      else stream.end(body)
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const hangUp = () => {
    for (const session of sessions) session.destroy()
  }
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}/dns-query`,
    requests,
    connections: () => connections,
    hangUp,
    async stop() {
      hangUp()
      server.close()
      await once(server, 'close')
    },
  }
}
