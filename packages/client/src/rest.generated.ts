// Made from docs/api/openapi.json by packages/client/codegen, which are to be edited instead: npm run api-files
import { flag, list, msat, nullable, number, object, oneOf, optional, type Reader, text } from './readers.ts'

export type AddressInvoice = {
  readonly id: string
  /** `user@domain` */
  readonly name: string
  /** `unknown`: your node never told what became of it. */
  readonly state: 'open' | 'paid' | 'expired' | 'unknown'
  readonly paymentHash: string
  readonly invoice: string
  /** Millisatoshi. */
  readonly amountMsat: bigint
  /** Millisatoshi. */
  readonly receivedMsat?: bigint
  /** What the payer wrote. Kept for 90 days after the payment. */
  readonly comment?: string
  /** What the payer told of themselves; nobody has verified it. Kept for 90 days. */
  readonly payer?: {
    readonly name?: string
    readonly pubkey?: string
    readonly identifier?: string
  }
  readonly zap: boolean
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** Milliseconds since 1970. */
  readonly paidAt?: number
}

export const readAddressInvoice: Reader<AddressInvoice> = object((o) => ({
  id: text(o.id),
  name: text(o.name),
  state: oneOf(o.state, ['open', 'paid', 'expired', 'unknown']),
  paymentHash: text(o.paymentHash),
  invoice: text(o.invoice),
  amountMsat: msat(o.amountMsat),
  ...optional('receivedMsat', o.receivedMsat, msat),
  ...optional('comment', o.comment, text),
  ...optional('payer', o.payer, object((o) => ({
    ...optional('name', o.name, text),
    ...optional('pubkey', o.pubkey, text),
    ...optional('identifier', o.identifier, text),
  }))),
  zap: flag(o.zap),
  createdAt: number(o.createdAt),
  expiresAt: number(o.expiresAt),
  ...optional('paidAt', o.paidAt, number),
}))

export type AddressInvoices = {
  readonly invoices: readonly AddressInvoice[]
  readonly next: string | null
}

export const readAddressInvoices: Reader<AddressInvoices> = object((o) => ({
  invoices: list(o.invoices).map(readAddressInvoice),
  next: nullable(o.next, text),
}))

export type Failure = {
  readonly code: string
  readonly title: string
  readonly hint: string
}

export const readFailure: Reader<Failure> = object((o) => ({
  code: text(o.code),
  title: text(o.title),
  hint: text(o.hint),
}))

export type Job = {
  readonly id: string
  /** One of `name.register`, `name.rotate`, `name.renew`, `name.transfer`, `name.resume`; a newer server may know more. */
  readonly kind: string
  /** `user@domain` */
  readonly name: string
  /** `failed`: what the job had done so far is undone. */
  readonly state: 'running' | 'succeeded' | 'failed'
  /** 0 to 100. */
  readonly percent: number
  /** What is being done. */
  readonly step: string
  readonly stepsDone: readonly ({
    readonly step: string
    /** Milliseconds since 1970. */
    readonly at: number
  })[]
  readonly error?: Failure
}

export const readJob: Reader<Job> = object((o) => ({
  id: text(o.id),
  kind: text(o.kind),
  name: text(o.name),
  state: oneOf(o.state, ['running', 'succeeded', 'failed']),
  percent: number(o.percent),
  step: text(o.step),
  stepsDone: list(o.stepsDone).map(object((o) => ({
    step: text(o.step),
    at: number(o.at),
  }))),
  ...optional('error', o.error, readFailure),
}))

export type Name = {
  /** `user@domain`; shown with ₿ before it. */
  readonly name: string
  /** `active` also while its record is being changed: until that has succeeded the old one counts. One of `registering`, `active`, `withdrawing`, `suspended`, `ended`; a newer server may know more. */
  readonly state: string
  /** Nostr public key, hex. */
  readonly owner: string
  /** The job of its registration. */
  readonly jobId: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** Milliseconds since 1970. */
  readonly activeAt?: number
  /** BOLT 12. Only while the name is active. */
  readonly offer?: string
  /** BIP-321. Only while the name is active. */
  readonly uri?: string
  /** The job of the change that is under way. */
  readonly changeJobId?: string
  /** The owner has proposed to give the name to this key, which may accept until then. */
  readonly transfer?: {
    readonly to: string
    /** Milliseconds since 1970. */
    readonly until: number
  }
  /** What the watcher found wrong with an active name; see docs/dns/watching.md. */
  readonly unhealthy?: {
    /** One of `not-found`, `content-changed`, `second-record`, `zone-unsigned`, `signature-expired`, `bogus`, `signature-expires-soon`, `offer-expiring`; a newer server may know more. */
    readonly reason: string
    readonly title: string
    readonly hint: string
    /** Milliseconds since 1970. */
    readonly since: number
  }
  /** What keeps being tried in vain; somebody may have to act before it can succeed. */
  readonly trouble?: Failure
}

export const readName: Reader<Name> = object((o) => ({
  name: text(o.name),
  state: text(o.state),
  owner: text(o.owner),
  jobId: text(o.jobId),
  createdAt: number(o.createdAt),
  ...optional('activeAt', o.activeAt, number),
  ...optional('offer', o.offer, text),
  ...optional('uri', o.uri, text),
  ...optional('changeJobId', o.changeJobId, text),
  ...optional('transfer', o.transfer, object((o) => ({
    to: text(o.to),
    until: number(o.until),
  }))),
  ...optional('unhealthy', o.unhealthy, object((o) => ({
    reason: text(o.reason),
    title: text(o.title),
    hint: text(o.hint),
    since: number(o.since),
  }))),
  ...optional('trouble', o.trouble, readFailure),
}))

export type NameRequest = {
  /** `*`: the wildcard, by which every name of a domain of your own is paid. */
  readonly user: string
  readonly domain: string
  /** A BOLT 12 offer made on your own device. Absent: your connected node makes one. */
  readonly offer?: string
}

export type Names = {
  readonly names: readonly Name[]
  readonly next: string | null
}

export const readNames: Reader<Names> = object((o) => ({
  names: list(o.names).map(readName),
  next: nullable(o.next, text),
}))

export type Payment = {
  readonly id: string
  /** 32 bytes, hex: under which your node knows the payment and your device finds its proof. Another one when the node gave the first up for good and the payment is tried again. */
  readonly nodePaymentId: string
  /** The destination as it was given. */
  readonly to: string
  /** Only when it is a name: `user@domain` as it is paid; letters of other scripts stand as punycode. */
  readonly name?: string
  /** Only when the fallback that was asked for was needed: a host vouches for the payee, DNSSEC does not. */
  readonly via?: 'lightning-address'
  /** The message to the payee. */
  readonly note?: string
  /** `unknown`: nobody can say yet whether it was paid. Do not pay again; it is asked again by itself. */
  readonly state: 'resolving' | 'sending' | 'unknown' | 'succeeded' | 'failed'
  /** Absent until it is known. Millisatoshi. */
  readonly amountMsat?: bigint
  /** The limit of the fee. Millisatoshi. */
  readonly maxFeeMsat?: bigint
  /** What the route took. Only when it succeeded. */
  readonly feeMsat?: bigint
  readonly paymentHash?: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** Milliseconds since 1970. */
  readonly endedAt?: number
  /** Only when it failed. */
  readonly error?: Failure
}

export const readPayment: Reader<Payment> = object((o) => ({
  id: text(o.id),
  nodePaymentId: text(o.nodePaymentId),
  to: text(o.to),
  ...optional('name', o.name, text),
  ...optional('via', o.via, (value) => oneOf(value, ['lightning-address'])),
  ...optional('note', o.note, text),
  state: oneOf(o.state, ['resolving', 'sending', 'unknown', 'succeeded', 'failed']),
  ...optional('amountMsat', o.amountMsat, msat),
  ...optional('maxFeeMsat', o.maxFeeMsat, msat),
  ...optional('feeMsat', o.feeMsat, msat),
  ...optional('paymentHash', o.paymentHash, text),
  createdAt: number(o.createdAt),
  ...optional('endedAt', o.endedAt, number),
  ...optional('error', o.error, readFailure),
}))

export type PaymentRequest = {
  /** BIP-353 name, with or without ₿, BOLT 12 offer, BOLT 11 invoice or BIP-321 URI. */
  readonly to: string
  /** Millisatoshi. Needed unless the destination names an amount. */
  readonly amountMsat?: bigint
  /** Millisatoshi. Default: 1 % of the amount, at least 10000. */
  readonly maxFeeMsat?: bigint
  /** A message to the payee. An offer or a Lightning Address can take one, an invoice cannot. */
  readonly note?: string
  /** With a name: pay its Lightning Address when the DNS has no instruction for it. Who is paid is then not proven by DNSSEC. */
  readonly fallback?: 'lightning-address'
}

export type ResolvedName = {
  /** `user@domain`; shown with ₿ before it. Letters of other scripts stand as punycode. */
  readonly name: string
  /** A label is punycode: show `name` as it stands, because its letters may look like others. */
  readonly hasPunycode: boolean
  /** False only when you asked for the fallback and it was needed: then the host of a Lightning Address says so, and a certificate vouches for the host. */
  readonly provenByDnssec: boolean
  /** The BIP-321 URI, validated with DNSSEC from the root down. Only when proven. */
  readonly uri?: string
  /** The first BOLT 12 offer of the URI. */
  readonly offer?: string
  /** How much longer this may be kept. Only when proven. */
  readonly ttlSeconds?: number
  /** Milliseconds since 1970. Only when proven. */
  readonly expiresAt?: number
  /** Only when not proven. */
  readonly lightningAddress?: {
    /** Millisatoshi. */
    readonly minMsat: bigint
    /** Millisatoshi. */
    readonly maxMsat: bigint
    /** The words of the host. */
    readonly description: string
    /** How long a note to the payee may be; 0: none. */
    readonly noteMaxCharacters: number
  }
}

export const readResolvedName: Reader<ResolvedName> = object((o) => ({
  name: text(o.name),
  hasPunycode: flag(o.hasPunycode),
  provenByDnssec: flag(o.provenByDnssec),
  ...optional('uri', o.uri, text),
  ...optional('offer', o.offer, text),
  ...optional('ttlSeconds', o.ttlSeconds, number),
  ...optional('expiresAt', o.expiresAt, number),
  ...optional('lightningAddress', o.lightningAddress, object((o) => ({
    minMsat: msat(o.minMsat),
    maxMsat: msat(o.maxMsat),
    description: text(o.description),
    noteMaxCharacters: number(o.noteMaxCharacters),
  }))),
}))

export type Session = {
  /** Send it as `Authorization: Bearer <token>`. It is shown this once. */
  readonly token: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** The Nostr public key that the token speaks for. */
  readonly owner: string
}

export const readSession: Reader<Session> = object((o) => ({
  token: text(o.token),
  expiresAt: number(o.expiresAt),
  owner: text(o.owner),
}))

export type Zone = {
  readonly domain: string
  /** One of `unsigned`, `signing`, `keys-settling`, `ds-publishing`, `signed`, `key-adding`, `new-key-settling`, `ds-replacing`, `old-ds-expiring`, `old-key-removing`, `ds-withdrawing`, `ds-expiring`, `unsigning`; a newer server may know more. */
  readonly phase: string
  /** ISO 8601, UTC. */
  readonly since: string
  /** Until what resolvers may remember of before has run out. */
  readonly waitsUntil: string | null
  /** DS records in presentation form: what the parent has or shall have. */
  readonly ds: readonly string[]
  readonly problem: {
    readonly code: string
    readonly text: string
  } | null
  /** What the plan waits for somebody to do. */
  readonly todo: {
    readonly action: string
    readonly text: string
    readonly records: readonly string[]
  } | null
}

export const readZone: Reader<Zone> = object((o) => ({
  domain: text(o.domain),
  phase: text(o.phase),
  since: text(o.since),
  waitsUntil: nullable(o.waitsUntil, text),
  ds: list(o.ds).map(text),
  problem: nullable(o.problem, object((o) => ({
    code: text(o.code),
    text: text(o.text),
  }))),
  todo: nullable(o.todo, object((o) => ({
    action: text(o.action),
    text: text(o.text),
    records: list(o.records).map(text),
  }))),
}))

export type Zones = {
  readonly zones: readonly Zone[]
}

export const readZones: Reader<Zones> = object((o) => ({
  zones: list(o.zones).map(readZone),
}))
