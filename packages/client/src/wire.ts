import { flag, list, msat, nullable, number, object, oneOf, optional, type Reader, text } from './readers.ts'

/** Why something failed, from the server's catalogue. */
export type Failure = { readonly code: string; readonly title: string; readonly hint: string }

export type Job = {
  readonly id: string
  readonly kind: string
  readonly state: 'running' | 'succeeded' | 'failed'
  /** 0 … 100. */
  readonly percent: number
  /** What is being done. */
  readonly step: string
  /** `at`: milliseconds since 1970. */
  readonly stepsDone: readonly { readonly step: string; readonly at: number }[]
  /** Also while it runs: what is being undone, and why. */
  readonly error?: Failure
}

export type Name = {
  /** `user@domain`. */
  readonly name: string
  /** `active` once its record is live and validated, also while its offer is being changed. */
  readonly state: string
  /** The owner's Nostr public key. */
  readonly owner: string
  /** The job of its registration. */
  readonly jobId: string
  /** The job of a change that is under way. */
  readonly changeJobId?: string
  /** The owner has proposed to give the name to this key, which may accept until then. */
  readonly transfer?: { readonly to: string; readonly until: number }
  /** What keeps being tried in vain; somebody may have to act before it can succeed. */
  readonly trouble?: Failure
  /** What is wrong with an active name, so that payers cannot resolve it, or soon cannot. */
  readonly unhealthy?: {
    readonly reason: string
    readonly title: string
    readonly hint: string
    /** Milliseconds since 1970. */
    readonly since: number
  }
  /** Absent until the owner's node has made it. */
  readonly offer?: string
  /** The BIP-321 URI in its record; absent while the name is not active. */
  readonly uri?: string
}

export type Names = {
  readonly names: readonly Name[] /** For the page after this one; null: it was the last. */
  readonly next: string | null
}

/** Where a zone stands on its way into DNSSEC or out of it. */
export type Zone = {
  readonly domain: string
  readonly phase: string
  /** ISO 8601. */
  readonly since: string
  /** ISO 8601; null where nothing is waited for. */
  readonly waitsUntil: string | null
  /** DS records in presentation form. */
  readonly ds: readonly string[]
  readonly problem: { readonly code: string; readonly text: string } | null
  /** What the plan waits for somebody to do. */
  readonly todo: {
    readonly action: string
    readonly text: string
    readonly records: readonly string[]
  } | null
}

type Shown = {
  /** `user@domain`; letters of other scripts as punycode. */
  readonly name: string
  /** It holds punycode, whose letters may look like others: show `name` as it stands. */
  readonly hasPunycode: boolean
}

export type Resolution = Shown & {
  /** The BIP-321 URI, its DNSSEC chain validated by the server from the root's anchor down. */
  readonly uri: string
  /** The BOLT 12 offer in the URI. */
  readonly offer?: string
}

/** What the host of a Lightning Address says of it; a TLS certificate vouches for the host, nothing for the payee. */
export type AddressResolution = Shown & {
  readonly provenByDnssec: false
  readonly minMsat: bigint
  readonly maxMsat: bigint
  /** The words of the host. */
  readonly description: string
  /** How long a note to the payee may be; 0: none. */
  readonly noteMaxCharacters: number
}

export type Payment = {
  readonly id: string
  /**
   * The id under which the payer's own node knows the payment: with it the device shows the proof. It is another one
   * when the node gave the payment up for good and it is tried again.
   */
  readonly nodePaymentId: string
  readonly to: string
  /** Only when `to` is a name: as it is paid, letters of other scripts as punycode. Show this, not `to`. */
  readonly name?: string
  /** Only when the fallback was asked for and needed: the host of an address vouches for the payee, DNSSEC does not. */
  readonly via?: 'lightning-address'
  readonly note?: string
  /** `unknown`: nobody can say yet whether it was paid. Do not pay again; wait. */
  readonly state: 'resolving' | 'sending' | 'unknown' | 'succeeded' | 'failed'
  readonly amountMsat?: bigint
  /** Only when it succeeded. */
  readonly feeMsat?: bigint
  readonly paymentHash?: string
  readonly error?: Failure
}

export type Session = { readonly token: string; readonly expiresAt: number }

export const readSession: Reader<Session> = object((o) => ({
  token: text(o.token),
  expiresAt: number(o.expiresAt),
}))

const readFailure: Reader<Failure> = object((o) => ({
  code: text(o.code),
  title: text(o.title),
  hint: text(o.hint),
}))

export const readJob: Reader<Job> = object((o) => ({
  id: text(o.id),
  kind: text(o.kind),
  state: oneOf(o.state, ['running', 'succeeded', 'failed']),
  percent: number(o.percent),
  step: text(o.step),
  stepsDone: list(o.stepsDone).map(object((done) => ({ step: text(done.step), at: number(done.at) }))),
  ...optional('error', o.error, readFailure),
}))

const readTransfer: Reader<{ to: string; until: number }> = object((o) => ({
  to: text(o.to),
  until: number(o.until),
}))

const readUnhealthy: Reader<NonNullable<Name['unhealthy']>> = object((o) => ({
  reason: text(o.reason),
  title: text(o.title),
  hint: text(o.hint),
  since: number(o.since),
}))

export const readName: Reader<Name> = object((o) => ({
  name: text(o.name),
  state: text(o.state),
  owner: text(o.owner),
  jobId: text(o.jobId),
  ...optional('changeJobId', o.changeJobId, text),
  ...optional('transfer', o.transfer, readTransfer),
  ...optional('trouble', o.trouble, readFailure),
  ...optional('unhealthy', o.unhealthy, readUnhealthy),
  ...optional('offer', o.offer, text),
  ...optional('uri', o.uri, text),
}))

export const readNames: Reader<Names> = object((o) => ({
  names: list(o.names).map(readName),
  next: nullable(o.next, text),
}))

export const readZone: Reader<Zone> = object((o) => ({
  domain: text(o.domain),
  phase: text(o.phase),
  since: text(o.since),
  waitsUntil: nullable(o.waitsUntil, text),
  ds: list(o.ds).map(text),
  problem: nullable(
    o.problem,
    object((problem) => ({ code: text(problem.code), text: text(problem.text) })),
  ),
  todo: nullable(
    o.todo,
    object((todo) => ({
      action: text(todo.action),
      text: text(todo.text),
      records: list(todo.records).map(text),
    })),
  ),
}))

export const readZones: Reader<readonly Zone[]> = object((o) => list(o.zones).map(readZone))

const readShown: Reader<Shown> = object((o) => ({ name: text(o.name), hasPunycode: flag(o.hasPunycode) }))

export const readResolution: Reader<Resolution> = object((o) => ({
  ...readShown(o),
  uri: text(o.uri),
  ...optional('offer', o.offer, text),
}))

export const readResolutionOrAddress: Reader<
  (Resolution & { readonly provenByDnssec: true }) | AddressResolution
> = object((o) =>
  o.provenByDnssec === true
    ? { provenByDnssec: true, ...readResolution(o) }
    : { provenByDnssec: false, ...readShown(o), ...readAddress(o.lightningAddress) },
)

const readAddress: Reader<Omit<AddressResolution, keyof Shown | 'provenByDnssec'>> = object((o) => ({
  minMsat: msat(o.minMsat),
  maxMsat: msat(o.maxMsat),
  description: text(o.description),
  noteMaxCharacters: number(o.noteMaxCharacters),
}))

export const readPayment: Reader<Payment> = object((o) => ({
  id: text(o.id),
  nodePaymentId: text(o.nodePaymentId),
  to: text(o.to),
  ...optional('name', o.name, text),
  ...optional('via', o.via, (value) => oneOf(value, ['lightning-address'])),
  ...optional('note', o.note, text),
  state: oneOf(o.state, ['resolving', 'sending', 'unknown', 'succeeded', 'failed']),
  ...optional('amountMsat', o.amountMsat, msat),
  ...optional('feeMsat', o.feeMsat, msat),
  ...optional('paymentHash', o.paymentHash, text),
  ...optional('error', o.error, readFailure),
}))
