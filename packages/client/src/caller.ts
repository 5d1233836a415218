import type { Clock } from './clock.ts'
import { clientError, HoldfastError } from './holdfast-error.ts'
import { makeSessionKeeper } from './session-keeper.ts'
import { type Signer, signAuthorization } from './signer.ts'
import type { Call, Transport } from './transport.ts'

/** Sends calls in the name of the client's key. */
export type Caller = {
  /** With a session token, and once more with a new one when the server no longer knows it. */
  signed<T>(send: (authorization: () => Promise<string>) => Promise<T>): Promise<T>
  /** The same where there is a signer; without one as nobody. */
  asWhoWeAre<T>(send: (authorization?: () => Promise<string>) => Promise<T>): Promise<T>
  /** A call that is answered in JSON; a mutation is signed itself where that is wanted. */
  send(call: Call): Promise<unknown>
  /** The server no longer knows the session that was used last. */
  renew(): void
}

export function makeCaller(deps: {
  transport: Transport
  signer: Signer | undefined
  signsEach: boolean
  clock: Clock
}): Caller {
  const { transport, signer, signsEach, clock } = deps
  const sessions = signer && makeSessionKeeper({ transport, signer, clock })

  let token = ''
  const signed: Caller['signed'] = async (send) => {
    if (!sessions) {
      throw clientError('SIGNER_REQUIRED', 'This client has no signer.', 'Make it with the option signer.')
    }
    let used = ''
    const authorization = async () => {
      used = await sessions.token()
      token = used
      return `Bearer ${used}`
    }
    try {
      return await send(authorization)
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code !== 'SESSION_INVALID') throw error
      sessions.forget(used)
      return send(authorization)
    }
  }
  return {
    signed,
    asWhoWeAre: (send) => (sessions ? signed(send) : send()),
    send(call) {
      const isMutation = call.idempotencyKey !== undefined
      if (signer && signsEach && isMutation) {
        return transport.send({
          ...call,
          authorization: (request) => signAuthorization(signer, request, clock.now()),
        })
      }
      return signed((authorization) => transport.send({ ...call, authorization }))
    },
    renew: () => sessions?.forget(token),
  }
}
