import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FastifyError, FastifyReply } from 'fastify'
import { explain } from '../../platform/http/error-handler.ts'

const WENT_AWAY = 'ERR_STREAM_PREMATURE_CLOSE'

export function isEventStream({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') ?? false
}

/** Sends events for as long as the client listens: Fastify, which bounds the time of an answer, is told to let go. */
export function sendEvents(reply: FastifyReply, { status, headers, body }: Response): void {
  reply.hijack()
  reply.raw.writeHead(status, {
    ...(reply.getHeaders() as Record<string, string>),
    ...Object.fromEntries(Array.from(headers, ([name, value]) => [name.toLowerCase(), value])),
    // Yoga would keep it alive, and hold up the server's end: that ends the stream, but waits for the connection.
    connection: 'close',
  })
  reply.raw.flushHeaders()
  pipeline(Readable.from(body as AsyncIterable<Uint8Array>), reply.raw).catch((error: FastifyError) => {
    if (error.code !== WENT_AWAY) explain(error, reply.request)
  })
}
