import type { Clock } from './clock.ts'
import { randomHex } from './random-hex.ts'
import { readSession, type Session } from './rest.generated.ts'
import { type Signer, signAuthorization } from './signer.ts'
import type { Transport } from './transport.ts'

/** A token is renewed this long before it ends, so that it does not end on its way. */
const RENEW_BEFORE_MS = 30_000

export type SessionKeeper = {
  /** A token that is good now; opens a session with one signed request when there is none. */
  token(): Promise<string>
  /** Forgets a token that the server no longer accepts. */
  forget(token: string): void
}

export function makeSessionKeeper({
  transport,
  signer,
  clock,
}: {
  transport: Transport
  signer: Signer
  clock: Clock
}): SessionKeeper {
  let current: Session | null = null
  let opening: Promise<Session> | null = null

  const open = async (): Promise<Session> => {
    const answer = await transport.send({
      method: 'POST',
      path: 'v1/sessions',
      idempotencyKey: randomHex(16),
      authorization: (request) => signAuthorization(signer, request, clock.now()),
    })
    return readSession(answer)
  }

  const token = async (): Promise<string> => {
    if (current !== null && current.expiresAt - RENEW_BEFORE_MS > clock.now()) return current.token
    // Calls that start together share one session.
    opening ??= open().finally(() => {
      opening = null
    })
    current = await opening
    return current.token
  }

  const forget = (token: string) => {
    if (current?.token === token) current = null
  }
  return { token, forget }
}
