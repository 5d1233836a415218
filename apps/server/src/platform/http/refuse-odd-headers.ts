import { refuse } from '@holdfast/core'
import type { App } from './app.ts'
import { orThrow } from './problem.ts'

/** What Node would answer by itself, without a body; needs `requireHostHeader: false`. */
export function refuseOddHeaders(app: App): void {
  app.server.on('checkExpectation', (request, response) => app.routing(request, response))
  app.addHook('onRequest', async ({ headers: { host, expect = '100-continue' }, raw }) => {
    // An HTTP/1.0 client knows neither.
    if (raw.httpVersion !== '1.1') return
    // RFC 9112 section 3.2: "MUST respond with a 400 (Bad Request)".
    if (host === undefined) orThrow(refuse('REQUEST_INVALID', { header: 'host' }))
    if (!/\b100-continue\b/i.test(expect)) orThrow(refuse('REQUEST_INVALID', { header: 'expect' }))
  })
}
