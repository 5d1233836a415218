import { randomUUID } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { type Refusal, refuse } from '@holdfast/core'
import { PROBLEM_CONTENT_TYPE, problemOf } from './problem.ts'

/** Answers what Node could not even read as a request: bytes that are no HTTP, too many headers, or too slow. */
export function answerClientError(error: Error & { code?: string }, socket: Duplex): void {
  answer(error, socket, '')
}

/** Answers a WebSocket's handshake that is none. RFC 6455 section 4.4: with the version that is spoken here. */
export function answerHandshakeError(error: Error, socket: Duplex): void {
  // Nothing limits how long who asked for a WebSocket keeps the connection.
  socket.once('finish', () => socket.destroy())
  answer(error, socket, 'sec-websocket-version: 13\r\n')
}

function answer(error: Error & { code?: string }, socket: Duplex, moreHeaders: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = problemOf(refusalOf(error), randomUUID())
  const body = JSON.stringify(problem)
  socket.end(
    `HTTP/1.1 ${problem.status} Refused\r\ncontent-type: ${PROBLEM_CONTENT_TYPE}\r\n` +
      `${moreHeaders}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

function refusalOf(error: { code?: string }): Refusal {
  switch (error.code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refuse('REQUEST_TIMEOUT')
    case 'HPE_HEADER_OVERFLOW':
      return refuse('HEADERS_TOO_LARGE')
    default:
      return refuse('REQUEST_INVALID')
  }
}
