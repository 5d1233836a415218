import { clientError } from '../holdfast-error.ts'

export type ServerSentEvent = { readonly event: string; readonly data: string }

/** Nothing at all for so long, not even a comment: the connection is dead, although nobody says so. */
const SILENCE_MS = 45_000

/**
 * The events of a `text/event-stream` (WHATWG HTML §9.2), until the server ends it. Throws `HoldfastError` when the
 * connection breaks or is silent for too long, and the signal's reason when it is aborted.
 */
export async function* readEvents(response: Response, signal: AbortSignal): AsyncGenerator<ServerSentEvent> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream') || !response.body) {
    throw clientError(
      'RESPONSE_INVALID',
      'The answer is no stream of events.',
      'Check the address of the server; a proxy may have answered instead.',
      { status: response.status },
    )
  }
  const reader = response.body.getReader()
  const stop = () => void reader.cancel(signal.reason).catch(() => undefined)
  signal.addEventListener('abort', stop, { once: true })
  try {
    const decoder = new TextDecoder()
    let rest = ''
    for (;;) {
      const { value, done } = await readInTime(reader)
      signal.throwIfAborted()
      if (done) return
      const blocks = (rest + decoder.decode(value, { stream: true })).split(/\r\n\r\n|\n\n|\r\r/)
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const event = parseBlock(block)
        if (event !== null) yield event
      }
    }
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
  }
}

/** Null: only comments. */
function parseBlock(block: string): ServerSentEvent | null {
  let event = 'message'
  const data: string[] = []
  for (const line of block.split(/\r\n|\n|\r/)) {
    const [, field, value = ''] = /^(\w+)(?:: ?(.*))?$/s.exec(line) ?? []
    if (field === 'event') event = value
    if (field === 'data') data.push(value)
  }
  return data.length === 0 && event === 'message' ? null : { event, data: data.join('\n') }
}

async function readInTime(reader: ReadableStreamDefaultReader<Uint8Array>) {
  let timer: ReturnType<typeof setTimeout> | undefined
  const silent = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(broken('The server has fallen silent.')), SILENCE_MS)
  })
  try {
    return await Promise.race([
      reader.read().catch((cause) => Promise.reject(broken('The connection broke.', cause))),
      silent,
    ])
  } finally {
    clearTimeout(timer)
  }
}

function broken(title: string, cause?: unknown) {
  return clientError('NETWORK_FAILED', title, 'Connect again.', { cause })
}
