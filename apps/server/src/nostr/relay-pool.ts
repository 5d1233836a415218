import type { NostrEvent } from '@holdfast/protocols/nip01'
import type { OutboundSockets } from '../outbound/outbound-socket.ts'

/** Relays of strangers, to which events are brought. */
export interface RelayPool {
  /**
   * Resolves when at least one relay has taken the event; all of them are tried, each for `timeoutMs`. Publishing twice
   * is publishing once: a relay knows an event by its id. Throws `NoRelayError` when none took it.
   */
  publish(event: NostrEvent, relays: readonly string[]): Promise<void>
}

/** `reasons`: what each relay said, or why it could not be asked. */
export class NoRelayError extends Error {
  override readonly name = 'NoRelayError'
  readonly reasons: readonly string[]
  constructor(reasons: readonly string[]) {
    super(`no relay took the event: ${reasons.join('; ') || 'none was named'}`)
    this.reasons = reasons
  }
}

const MOST_RELAYS = 10
const MOST_REASON_CHARACTERS = 200

export function makeRelayPool(options: { sockets: OutboundSockets; timeoutMs?: number }): RelayPool {
  const { sockets, timeoutMs = 10_000 } = options
  return {
    async publish(event, relays) {
      const asked = [...new Set(relays)].slice(0, MOST_RELAYS)
      const answers = await Promise.allSettled(
        asked.map((relay) => publishTo(sockets, relay, event, AbortSignal.timeout(timeoutMs))),
      )
      if (answers.some(({ status }) => status === 'fulfilled')) return
      throw new NoRelayError(
        answers.map((answer) => (answer.status === 'rejected' ? reasonOf(answer.reason) : '')),
      )
    },
  }
}

async function publishTo(
  sockets: OutboundSockets,
  relay: string,
  event: NostrEvent,
  late: AbortSignal,
): Promise<void> {
  const socket = await sockets.open(relay, late)
  try {
    socket.send(JSON.stringify(['EVENT', event]))
    for await (const text of socket.messages) {
      const answer = readOk(text, event.id)
      if (answer === null) continue
      if (answer.taken) return
      throw new Error(`${socket.host}: ${answer.message}`)
    }
    throw new Error(
      `${socket.host} ${late.aborted ? 'takes too long' : 'closed the connection without an answer'}`,
    )
  } finally {
    socket.close()
  }
}

/** NIP-01: `["OK", <event id>, <taken>, <message>]`. Null: the message is about something else. */
function readOk(text: string, id: string): { taken: boolean; message: string } | null {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return null
  }
  if (!Array.isArray(message) || message[0] !== 'OK' || message[1] !== id) return null
  // "duplicate:" comes with true, but not from every relay; having the event is what counts.
  const taken = message[2] === true || String(message[3]).startsWith('duplicate:')
  return { taken, message: String(message[3] ?? 'refused') }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  // A stranger wrote it, and it goes to the log.
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, MOST_REASON_CHARACTERS)
}
