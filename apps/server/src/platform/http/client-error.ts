import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { type Refusal, refuse } from '@holdfast/core'
import { PROBLEM_CONTENT_TYPE, problemOf } from './problem.ts'

/** Answers what Node could not even read as a request: bytes that are no HTTP, too many headers, or too slow. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = problemOf(refusalOf(error), randomUUID())
  const body = JSON.stringify(problem)
  socket.end(
    `HTTP/1.1 ${problem.status} Refused\r\ncontent-type: ${PROBLEM_CONTENT_TYPE}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
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
