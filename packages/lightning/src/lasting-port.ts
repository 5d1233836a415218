import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** IANA's and Linux's ports for whoever asks for any (RFC 6335 §6) begin above; services of systems are below. */
const FIRST = 10_000
const LAST = 32_767

/**
 * A port of this host on which nobody listens, and which the system gives to nobody by itself: whoever wants to listen
 * there still can a while later, or again after it has died. A port that the system gave may by then be that of
 * somebody's connection.
 */
export async function lastingPort(host = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST + 1)
    if (await isFree(host, port)) return port
  }
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
      .once('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EADDRINUSE' || error.code === 'EACCES' ? resolve(false) : reject(error),
      )
      .listen(port, host, () => probe.close(() => resolve(true)))
  })
}
