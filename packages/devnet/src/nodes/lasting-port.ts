import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** IANA's and Linux's ports for whoever asks for any (RFC 6335 §6) begin above; services of systems are below. */
const FIRST = 10_000
const LAST = 32_767

/**
 * A loopback port on which nobody listens, and which the system gives to nobody by itself: a node whose process dies
 * can have it again. A port that it was given by the system may by then be that of somebody's connection.
 */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST + 1)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
      .once('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EADDRINUSE' || error.code === 'EACCES' ? resolve(false) : reject(error),
      )
      .listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
