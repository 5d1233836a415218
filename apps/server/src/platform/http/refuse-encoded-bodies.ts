import type { IncomingHttpHeaders } from 'node:http'
import { refuse } from '@holdfast/core'
import type { App } from './app.ts'
import { orThrow } from './problem.ts'

/** Nothing here is unpacked: a body with a content coding is refused before it is read. */
export function refuseEncodedBodies(app: App): void {
  app.addHook('onRequest', async ({ headers, is404 }, reply) => {
    if (is404 || !isEncoded(headers) || !hasBody(headers)) return
    // RFC 9110 section 12.5.3: "ought to respond with a 415 (Unsupported Media Type) status code and include an
    // Accept-Encoding header field in that response".
    reply.header('accept-encoding', 'identity')
    orThrow(refuse('CONTENT_ENCODING_UNSUPPORTED'))
  })
}

function isEncoded({ 'content-encoding': codings = '' }: IncomingHttpHeaders): boolean {
  return codings.split(',').some((coding) => !/^\s*(identity)?\s*$/i.test(coding))
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
