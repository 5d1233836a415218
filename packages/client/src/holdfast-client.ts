import { type CallOptions, type MutationOptions, withSignal } from './call-options.ts'
import { makeCaller } from './caller.ts'
import { type Clock, systemClock } from './clock.ts'
import { type EscrowClient, makeEscrowClient } from './escrow/escrow-client.ts'
import { makeGraphqlClient } from './graphql/graphql-client.ts'
import { HoldfastError } from './holdfast-error.ts'
import { randomHex } from './random-hex.ts'
import type { Reader } from './readers.ts'
import {
  type AddressResolution,
  type Resolution,
  readResolution,
  readResolutionOrAddress,
} from './resolution.ts'
import {
  type AddressInvoice,
  type AddressInvoices,
  type Job,
  type Name,
  type NameRequest,
  type Names,
  type Payment,
  type PaymentRequest,
  readAddressInvoices,
  readJob,
  readName,
  readNames,
  readPayment,
  readZone,
  readZones,
  type Zone,
} from './rest.generated.ts'
import type { Signer } from './signer.ts'
import { type Call, type Fetch, makeTransport } from './transport.ts'
import { type WaitOptions, waitUntilEnded } from './wait-until-ended.ts'

export type ClientOptions = {
  /** Where the server is, as the server knows itself: NIP-98 signs the exact URL. */
  readonly baseUrl: string
  /** Absent: only what everybody may ask, `getName`, `findName` and `resolve`. */
  readonly signer?: Signer
  /**
   * Signs each change itself instead of sending a session's token with it, so that the server's journal has a signature
   * for each. The signer is asked for every attempt.
   */
  readonly signsEach?: boolean
  readonly fetch?: Fetch
  readonly clock?: Clock
}

export type ZoneChange = 'sign' | 'unsign' | 'roll'

/** Every method throws `HoldfastError`. Amounts are bigint millisatoshi, times milliseconds since 1970. */
export type HoldfastClient = {
  /** Tasks and orders, and their money. */
  readonly escrow: EscrowClient
  /** Answers as soon as the registration is accepted; `waitForJob` tells how it ends. */
  registerName(request: NameRequest, options?: MutationOptions): Promise<Job>
  /**
   * Gives a name another offer, by default a new one of the owner's connected node. Answers as soon as that is
   * accepted; until the job has succeeded the old offer stands.
   */
  changeOffer(name: string, request?: { readonly offer?: string }, options?: MutationOptions): Promise<Job>
  /** Gives a name, or a registration that still runs, up. */
  releaseName(name: string, options?: MutationOptions): Promise<Name>
  /** Proposes to give a name to another Nostr public key, in hex; that key must accept. */
  proposeTransfer(name: string, to: string, options?: MutationOptions): Promise<Name>
  cancelTransfer(name: string, options?: MutationOptions): Promise<Name>
  /** Takes over a name that was proposed to this client's key; it is theirs when the job has succeeded. */
  acceptTransfer(name: string, request?: { readonly offer?: string }, options?: MutationOptions): Promise<Job>
  /** For operators: takes the record of a name out of the DNS; the name stays its owner's. */
  suspendName(name: string, options?: MutationOptions): Promise<Name>
  /** For operators: publishes the record of a suspended name again. */
  resumeName(name: string, options?: MutationOptions): Promise<Job>
  /** `name` with or without ₿. */
  getName(name: string, options?: CallOptions): Promise<Name>
  /** The same, but null when there is no such name. */
  findName(name: string, options?: CallOptions): Promise<Name | null>
  /** The registrations of this client's key, newest first. `after`: the `next` of the page before. */
  listNames(
    page?: { readonly limit?: number; readonly after?: string },
    options?: CallOptions,
  ): Promise<Names>
  /** The zones that the server keeps, and where each stands with DNSSEC. */
  listZones(options?: CallOptions): Promise<readonly Zone[]>
  getZone(domain: string, options?: CallOptions): Promise<Zone>
  /** For operators: begins to take a zone into DNSSEC, out of it, or to replace its key. */
  changeZone(domain: string, change: ZoneChange, options?: MutationOptions): Promise<Zone>
  /** What was asked for at this client's Lightning Addresses, newest first. `after`: the `next` of the page before. */
  listAddressInvoices(
    page?: { readonly state?: AddressInvoice['state']; readonly limit?: number; readonly after?: string },
    options?: CallOptions,
  ): Promise<AddressInvoices>
  getJob(id: string, options?: CallOptions): Promise<Job>
  /** Resolves when the job has ended, whether it succeeded or failed. */
  waitForJob(id: string, options?: WaitOptions<Job>): Promise<Job>
  /** Resolves any BIP-353 name, also of other domains. */
  resolve(name: string, options?: CallOptions): Promise<Resolution>
  /** The same; when the DNS has no instruction for the name, what its Lightning Address takes. Nothing proves that. */
  resolveOrFallBack(
    name: string,
    options?: CallOptions,
  ): Promise<(Resolution & { readonly provenByDnssec: true }) | AddressResolution>
  /** Answers as soon as the payment is accepted; `waitForPayment` tells how it ends. */
  pay(request: PaymentRequest, options?: MutationOptions): Promise<Payment>
  /** `pay` and `waitForPayment` in one, which is one request where the payment ends within half a second. */
  payAndWait(request: PaymentRequest, options?: MutationOptions & WaitOptions<Payment>): Promise<Payment>
  getPayment(id: string, options?: CallOptions): Promise<Payment>
  /** Resolves when the payment has succeeded or failed; one whose outcome is unknown has not ended. */
  waitForPayment(id: string, options?: WaitOptions<Payment>): Promise<Payment>
}

/** Most payments end within it, and have little to show before. */
const PAYMENT_PAUSE_MS = 500

export function createHoldfastClient(options: ClientOptions): HoldfastClient {
  const { signer, clock = systemClock, fetch = (url, init) => globalThis.fetch(url, init) } = options
  const transport = makeTransport({ baseUrl: options.baseUrl, fetch, clock })
  const caller = makeCaller({ transport, signer, signsEach: options.signsEach === true, clock })
  const sendSigned = async <T>(read: Reader<T>, call: Call): Promise<T> => read(await caller.send(call))

  const mutate = <T>(
    read: Reader<T>,
    [method, path]: readonly ['POST' | 'PUT' | 'DELETE', string],
    body: unknown,
    options: MutationOptions = {},
  ): Promise<T> =>
    sendSigned(read, {
      method,
      path,
      ...(body !== undefined && { body }),
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

  const pay = (request: PaymentRequest, options: MutationOptions = {}, query = '') => {
    const { to, amountMsat, maxFeeMsat, note, fallback } = request
    const body = {
      to,
      ...(amountMsat !== undefined && { amountMsat: amountMsat.toString() }),
      ...(maxFeeMsat !== undefined && { maxFeeMsat: maxFeeMsat.toString() }),
      ...(note !== undefined && { note }),
      ...(fallback !== undefined && { fallback }),
    }
    return mutate(readPayment, ['POST', `v1/payments${query}`], body, options)
  }

  const untilPaid = (ask: (query: string) => Promise<Payment>, options: WaitOptions<Payment>) =>
    waitUntilEnded(
      (waitMs) => ask(`?wait=${waitMs / 1000}`),
      ({ state }) => state === 'succeeded' || state === 'failed',
      clock,
      options,
      PAYMENT_PAUSE_MS,
    )

  return {
    escrow: makeEscrowClient({ graphql: makeGraphqlClient({ transport, caller }), clock }),
    registerName: (request, options) => mutate(readJob, ['POST', 'v1/names'], request, options),
    changeOffer: (name, request = {}, options) => mutate(readJob, ['PUT', at(name)], request, options),
    releaseName: (name, options) => mutate(readName, ['DELETE', at(name)], undefined, options),
    proposeTransfer: (name, to, options) =>
      mutate(readName, ['PUT', `${at(name)}/transfer`], { to }, options),
    cancelTransfer: (name, options) =>
      mutate(readName, ['DELETE', `${at(name)}/transfer`], undefined, options),
    acceptTransfer: (name, request = {}, options) =>
      mutate(readJob, ['POST', `${at(name)}/transfer/accept`], request, options),
    suspendName: (name, options) => mutate(readName, ['POST', `${at(name)}/suspend`], undefined, options),
    resumeName: (name, options) => mutate(readJob, ['POST', `${at(name)}/resume`], undefined, options),
    getName,
    findName: async (name, options) => {
      try {
        return await getName(name, options)
      } catch (error) {
        if (error instanceof HoldfastError && error.code === 'NAME_NOT_FOUND') return null
        throw error
      }
    },
    listNames: (page = {}, options = {}) =>
      sendSigned(readNames, { method: 'GET', path: `v1/names?${mine(page)}`, ...withSignal(options) }),
    listAddressInvoices: (page = {}, options = {}) =>
      sendSigned(readAddressInvoices, {
        method: 'GET',
        path: `v1/address-invoices?${mine(page)}`,
        ...withSignal(options),
      }),
    listZones: async (options = {}) =>
      readZones(await transport.send({ method: 'GET', path: 'v1/zones', ...withSignal(options) })).zones,
    getZone: async (domain, options = {}) =>
      readZone(await transport.send({ method: 'GET', path: zoneAt(domain), ...withSignal(options) })),
    changeZone: (domain, change, options) =>
      mutate(readZone, ['POST', `${zoneAt(domain)}/${change}`], undefined, options),
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
    resolveOrFallBack: async (name, options = {}) =>
      readResolutionOrAddress(
        await transport.send({
          method: 'GET',
          path: `v1/resolve/${segment(name)}?fallback=lightning-address`,
          ...withSignal(options),
        }),
      ),
    pay: (request, options) => pay(request, options),
    payAndWait: (request, options = {}) => {
      let id: string | null = null
      const ask = async (query: string) => {
        const payment = await (id === null
          ? pay(request, options, query)
          : getPayment(id, withSignal(options), query))
        id = payment.id
        return payment
      }
      return untilPaid(ask, options)
    },
    getPayment: (id, options) => getPayment(id, options),
    waitForPayment: (id, options = {}) =>
      untilPaid((query) => getPayment(id, withSignal(options), query), options),
  }
}

/** The query of a page of what belongs to this client's key. */
function mine(page: Readonly<Record<string, string | number | undefined>>): URLSearchParams {
  const query = new URLSearchParams({ owner: 'me' })
  for (const [name, value] of Object.entries(page)) if (value !== undefined) query.set(name, String(value))
  return query
}

function at(name: string): string {
  return `v1/names/${segment(name)}`
}

function zoneAt(domain: string): string {
  return `v1/zones/${encodeURIComponent(domain)}`
}

/** A name as a path segment. ₿ is only how a name is shown. */
function segment(name: string): string {
  return encodeURIComponent(name.replace(/^₿/, ''))
}
