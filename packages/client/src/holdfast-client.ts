import { type Clock, systemClock } from './clock.ts'
import { clientError, HoldfastError } from './holdfast-error.ts'
import { randomHex } from './random-hex.ts'
import { makeSessionKeeper } from './session-keeper.ts'
import type { Signer } from './signer.ts'
import { type Call, type Fetch, makeTransport } from './transport.ts'
import { type WaitOptions, waitUntilEnded } from './wait-until-ended.ts'
import {
  type Job,
  type Name,
  type Payment,
  type Reader,
  type Resolution,
  readJob,
  readName,
  readPayment,
  readResolution,
} from './wire.ts'

export type ClientOptions = {
  /** Where the server is, as the server knows itself: NIP-98 signs the exact URL. */
  readonly baseUrl: string
  /** Absent: only what everybody may ask, `getName`, `findName` and `resolve`. */
  readonly signer?: Signer
  readonly fetch?: Fetch
  readonly clock?: Clock
}

export type CallOptions = { readonly signal?: AbortSignal }

export type MutationOptions = CallOptions & {
  /**
   * 1 to 64 characters of `A-Z a-z 0-9 _ -`. Give one that you have stored to repeat a request of an earlier run of
   * your program; otherwise a new one is made for each call and kept for its repetitions.
   */
  readonly idempotencyKey?: string
}

export type NameRequest = {
  readonly user: string
  readonly domain: string
  /** A BOLT 12 offer made on the owner's own device. Absent: the owner's connected node makes one. */
  readonly offer?: string
}

export type PaymentRequest = {
  /** A BIP-353 name, BOLT 12 offer, BOLT 11 invoice or BIP-321 URI. */
  readonly to: string
  /** Needed unless the destination names an amount. */
  readonly amountMsat?: bigint
  /** Default: the server's, 1 % and at least 10 satoshi. */
  readonly maxFeeMsat?: bigint
}

/** Every method throws `HoldfastError`. Amounts are bigint millisatoshi, times milliseconds since 1970. */
export type HoldfastClient = {
  /** Answers as soon as the registration is accepted; `waitForJob` tells how it ends. */
  registerName(request: NameRequest, options?: MutationOptions): Promise<Job>
  /** `name` with or without ₿. */
  getName(name: string, options?: CallOptions): Promise<Name>
  /** The same, but null when there is no such name. */
  findName(name: string, options?: CallOptions): Promise<Name | null>
  getJob(id: string, options?: CallOptions): Promise<Job>
  /** Resolves when the job has ended, whether it succeeded or failed. */
  waitForJob(id: string, options?: WaitOptions<Job>): Promise<Job>
  /** Resolves any BIP-353 name, also of other domains. */
  resolve(name: string, options?: CallOptions): Promise<Resolution>
  /** Answers as soon as the payment is accepted; `waitForPayment` tells how it ends. */
  pay(request: PaymentRequest, options?: MutationOptions): Promise<Payment>
  getPayment(id: string, options?: CallOptions): Promise<Payment>
  /** Resolves when the payment has succeeded or failed; one whose outcome is unknown has not ended. */
  waitForPayment(id: string, options?: WaitOptions<Payment>): Promise<Payment>
}

export function createHoldfastClient(options: ClientOptions): HoldfastClient {
  const { signer, clock = systemClock, fetch = (url, init) => globalThis.fetch(url, init) } = options
  const transport = makeTransport({ baseUrl: options.baseUrl, fetch, clock })
  const sessions = signer && makeSessionKeeper({ transport, signer, clock })

  /** Sends a call with a session token, and once more with a new one when the server no longer knows it. */
  const sendSigned = async <T>(read: Reader<T>, call: Call): Promise<T> => {
    if (!sessions) {
      throw clientError('SIGNER_REQUIRED', 'This client has no signer.', 'Make it with the option signer.')
    }
    let token = ''
    const authorization = async () => {
      token = await sessions.token()
      return `Bearer ${token}`
    }
    try {
      return read(await transport.send({ ...call, authorization }))
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code !== 'SESSION_INVALID') throw error
      sessions.forget(token)
      return read(await transport.send({ ...call, authorization }))
    }
  }

  const mutate = <T>(
    read: Reader<T>,
    path: string,
    body: unknown,
    options: MutationOptions = {},
  ): Promise<T> =>
    sendSigned(read, {
      method: 'POST',
      path,
      body,
      idempotencyKey: options.idempotencyKey ?? randomHex(16),
      ...withSignal(options),
    })

  const getName = async (name: string, options: CallOptions = {}) =>
    readName(
      await transport.send({ method: 'GET', path: `v1/names/${segment(name)}`, ...withSignal(options) }),
    )

  const getJob = (id: string, options: CallOptions = {}, query = '') =>
    sendSigned(readJob, {
      method: 'GET',
      path: `v1/jobs/${encodeURIComponent(id)}${query}`,
      ...withSignal(options),
    })

  const getPayment = (id: string, options: CallOptions = {}, query = '') =>
    sendSigned(readPayment, {
      method: 'GET',
      path: `v1/payments/${encodeURIComponent(id)}${query}`,
      ...withSignal(options),
    })

  return {
    registerName: (request, options) => mutate(readJob, 'v1/names', request, options),
    getName,
    findName: async (name, options) => {
      try {
        return await getName(name, options)
      } catch (error) {
        if (error instanceof HoldfastError && error.code === 'NAME_NOT_FOUND') return null
        throw error
      }
    },
    getJob: (id, options) => getJob(id, options),
    waitForJob: (id, options = {}) =>
      waitUntilEnded(
        (waitMs) => getJob(id, withSignal(options), `?wait=${waitMs / 1000}`),
        ({ state }) => state !== 'running',
        clock,
        options,
      ),
    resolve: async (name, options = {}) =>
      readResolution(
        await transport.send({ method: 'GET', path: `v1/resolve/${segment(name)}`, ...withSignal(options) }),
      ),
    pay: ({ to, amountMsat, maxFeeMsat }, options) => {
      const body = {
        to,
        ...(amountMsat !== undefined && { amountMsat: amountMsat.toString() }),
        ...(maxFeeMsat !== undefined && { maxFeeMsat: maxFeeMsat.toString() }),
      }
      return mutate(readPayment, 'v1/payments', body, options)
    },
    getPayment: (id, options) => getPayment(id, options),
    waitForPayment: (id, options = {}) =>
      waitUntilEnded(
        (waitMs) => getPayment(id, withSignal(options), `?wait=${waitMs / 1000}`),
        ({ state }) => state === 'succeeded' || state === 'failed',
        clock,
        options,
      ),
  }
}

/** A name as a path segment. ₿ is only how a name is shown. */
function segment(name: string): string {
  return encodeURIComponent(name.replace(/^₿/, ''))
}

function withSignal({ signal }: CallOptions): CallOptions {
  return signal === undefined ? {} : { signal }
}
