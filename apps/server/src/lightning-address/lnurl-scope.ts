import { REFUSALS, type Refusal } from '@holdfast/core'
import type { LnurlRefusal } from '@holdfast/protocols/lnurl/answer'
import type { FastifyError, FastifyReply } from 'fastify'
import { z } from 'zod'
import type { App } from '../platform/http/app.ts'
import { explain } from '../platform/http/error-handler.ts'

/** How every LNURL address says no. */
export const lnurlRefusalSchema = z
  .strictObject({
    status: z.literal('ERROR'),
    reason: z.string().describe('For a person to read.'),
    code: z.string().describe('Stable; explained at /problems/<code>. Not part of LNURL.'),
  })
  .meta({ title: 'LnurlError' })

/**
 * Routes that speak LNURL: whatever goes wrong in them, also before their handlers, is answered as LUD-06 says and for
 * every origin, because wallets live in browsers, too.
 */
export function addLnurlRoutes(app: App, addRoutes: (scope: App) => void): void {
  app.register(async (scope: App) => {
    scope.addHook('onRequest', async (_request, reply) => {
      reply.header('access-control-allow-origin', '*')
    })
    scope.setErrorHandler((error: FastifyError, request, reply) =>
      sendLnurlRefusal(reply, explain(error, request)),
    )
    addRoutes(scope)
  })
}

/** LUD-01: "Neither status codes or any HTTP Header has any meaning", so a refusal is a 200; a fault is our own. */
function sendLnurlRefusal(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { retryAfterSeconds } = refusal.data
  if (typeof retryAfterSeconds === 'number') reply.header('retry-after', retryAfterSeconds)
  const { title, hint } = REFUSALS[refusal.refused]
  const answer: LnurlRefusal = { status: 'ERROR', reason: `${title} ${hint}`, code: refusal.refused }
  return reply
    .code(refusal.refused === 'INTERNAL' ? 500 : 200)
    .header('access-control-allow-origin', '*')
    .type('application/json')
    .send(JSON.stringify(answer))
}
