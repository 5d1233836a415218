import { createHash } from 'node:crypto'
import { Resolver } from 'node:dns/promises'
import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '@holdfast/core'
import type { NameCommand } from '@holdfast/core/names/name-commands'
import { replayName } from '@holdfast/core/names/name-machine'
import type { NameJob, NameState } from '@holdfast/core/names/name-states'
import { pendingEffects } from '@holdfast/core/names/pending-effects'
import { replayPayment } from '@holdfast/core/payments/payment-machine'
import type { PaymentState } from '@holdfast/core/payments/payment-states'
import { recordValue } from '@holdfast/protocols/bip353'
import { decodeCommand, decodeState } from '@holdfast/server/payments/payment-codec'
import type { OpenDatabase } from '@holdfast/server/platform/database'
import type { JournalEntry } from '@holdfast/server/platform/journal/read-entries'
import { sql } from 'kysely'
import type { UserName } from './devnet-user.ts'
import { type Chains, readJournal } from './journal-faults.ts'
import { type Asked, DOMAIN, type Running } from './request-ledger.ts'

export type Balances = ReadonlyMap<UserName, bigint>

/** Requests that give a name a job. */
const CHANGES: ReadonlySet<string> = new Set<Asked['wish']['kind']>([
  'change-offer',
  'accept-transfer',
  'resume',
])

export type Truth = {
  readonly names: readonly NameState[]
  /** How each registration and each change of a name ended, by its job. */
  readonly nameJobs: ReadonlyMap<string, NameJob['outcome']>
  readonly payments: readonly PaymentState[]
  readonly addressInvoices: readonly AddressInvoiceRow[]
}

/** What a payer asked for at a Lightning Address. */
type AddressInvoiceRow = { readonly id: string; readonly paymentHash: string; readonly phase: string }

/** Every state row. */
export async function readTruth({ db }: OpenDatabase): Promise<Truth> {
  const names = await sql<{ state: NameState }>`select state from name_registration`.execute(db)
  const jobs = await sql<{ job: NameJob }>`
    select state -> 'job' as job from name_registration union all select job from name_job`.execute(db)
  const payments = await sql<{ state: JsonObject }>`select state from payment`.execute(db)
  const addressInvoices = await sql<AddressInvoiceRow>`
    select id, payment_hash as "paymentHash", phase from address_invoice`.execute(db)
  return {
    addressInvoices: addressInvoices.rows,
    names: names.rows.map(({ state }) => state),
    nameJobs: new Map(jobs.rows.map(({ job }) => [job.id ?? '', job.outcome])),
    payments: payments.rows.map(({ state }) => decodeState(state)),
  }
}

/** What has not come to its end. */
export function unended({ names, payments, addressInvoices }: Truth): string[] {
  // An offer that was replaced is disabled a good minute later; that has not to be waited for.
  const now = Date.now()
  const dueFor = (name: NameState) => pendingEffects(name).filter(({ at }) => at <= now)
  return [
    ...names
      .filter(({ phase }) => phase !== 'active' && phase !== 'suspended' && phase !== 'freed')
      .map(({ user, phase }) => `name ${user} is ${phase}`),
    ...names.flatMap((name) => dueFor(name).map(({ kind }) => `name ${name.user} waits for ${kind}`)),
    ...payments
      .filter(({ phase }) => phase !== 'succeeded' && phase !== 'failed')
      .map(({ id, phase }) => `payment ${id} is ${phase}`),
    ...addressInvoices
      .filter(({ paymentHash, phase }) => phase !== 'paid' && isPaid(payments, paymentHash))
      .map(({ id, phase }) => `address invoice ${id} was paid, and is ${phase}`),
  ]
}

function isPaid(payments: readonly PaymentState[], paymentHash: string): boolean {
  return payments.some((payment) => payment.phase === 'succeeded' && payment.paymentHash === paymentHash)
}

/** Each invoice that was paid stands once in the journal, and no other does. */
function findAddressInvoiceFaults({ payments, addressInvoices }: Truth, chains: Chains): string[] {
  return addressInvoices.flatMap(({ id, paymentHash }) => {
    const entries = chains.get(`address-invoice ${id}`)?.length ?? 0
    const wanted = isPaid(payments, paymentHash) ? 1 : 0
    return entries === wanted ? [] : [`address invoice ${id} has ${entries} entries instead of ${wanted}`]
  })
}

/** Each accepted request has its one entity, and no entity is there without a request. */
export function findLostOrDoubled(
  { users }: Running,
  asked: readonly Asked[],
  { names, nameJobs, payments }: Truth,
): string[] {
  const pubkeyOf = (by: UserName) => users.get(by)?.device.pubkey
  const faults: string[] = []
  const expectOne = (what: string, found: readonly { id: string }[], answer: Asked['answer']) => {
    if (answer && 'refused' in answer) faults.push(`${what} was refused: ${answer.refused}`)
    else if (found.length !== 1) faults.push(`${what} exists ${found.length} times`)
    else if (answer && answer.id !== found[0]?.id) faults.push(`${what} is not the one that was answered`)
  }
  for (const { wish, by, answer } of asked) {
    if (wish.kind === 'register') {
      const found = names.filter(({ user }) => user === wish.user)
      expectOne(`registration of ${wish.user} by ${by}`, found, answer)
    }
    if (wish.kind === 'pay') {
      const found = payments.filter(({ requestedMsat }) => requestedMsat === wish.amountMsat)
      expectOne(`payment of ${wish.amountMsat} msat by ${by}`, found, answer)
    }
    const isChange = CHANGES.has(wish.kind)
    if ('user' in wish && isChange && answer && 'id' in answer) {
      const outcome = nameJobs.get(answer.id) ?? 'lost'
      if (outcome !== 'succeeded' && outcome !== 'failed')
        faults.push(`${wish.kind} of ${wish.user} by ${by} was accepted, but it is ${outcome}`)
      const { owner } = names.find(({ user }) => user === wish.user) ?? {}
      if (wish.kind === 'accept-transfer' && (owner === pubkeyOf(by)) !== (outcome === 'succeeded'))
        faults.push(`the transfer of ${wish.user} to ${by} ${outcome}, but it is ${owner}'s`)
    }
    if (wish.kind === 'release' && answer && 'id' in answer) {
      const released = names.find(({ id }) => id === answer.id)
      if (released?.user !== wish.user || released.phase !== 'freed')
        faults.push(`release of ${wish.user} by ${by} was accepted, but it is ${released?.phase}`)
    }
  }
  const makes = ({ wish }: Asked) => wish.kind === 'register' || wish.kind === 'pay'
  const known = asked.filter(makes).length
  const present = names.length + payments.length
  if (known !== present) faults.push(`${known} requests made ${present} registrations and payments`)
  return faults
}

/** No position is skipped, every entity's chain holds, and replaying its commands gives its row. */
export async function findJournalFaults(database: OpenDatabase, truth: Truth): Promise<string[]> {
  const { chains: byEntity, faults } = await readJournal(database)
  const compare = (entity: string, row: unknown, replay: (chain: readonly JournalEntry[]) => unknown) => {
    if (!isDeepStrictEqual(row, replay(byEntity.get(entity) ?? [])))
      faults.push(`the row of ${entity} is not what its entries say`)
  }
  for (const name of truth.names)
    compare(`name ${name.id}`, name, (chain) =>
      replayName(chain.map(({ data, at }) => ({ command: data.command as unknown as NameCommand, at }))),
    )
  for (const payment of truth.payments)
    compare(`payment ${payment.id}`, payment, (chain) =>
      replayPayment(
        chain.map(({ data, at }) => ({ command: decodeCommand(data.command as JsonObject), at })),
      ),
    )
  faults.push(...findAddressInvoiceFaults(truth, byEntity))
  const present = truth.names.length + truth.payments.length
  const told = [...byEntity.keys()].filter((entity) => /^(name|payment) /.test(entity)).length
  if (told !== present) faults.push(`the journal tells of ${told} entities, ${present} exist`)
  return faults
}

export async function readBalances({ users }: Running): Promise<Balances> {
  return new Map(
    await Promise.all(
      [...users].map(async ([name, { device }]) => [name, await device.balanceMsat()] as const),
    ),
  )
}

/** What every user must have now: paid out amount and fee of each payment that succeeded, received its amount, once. */
export function expectedBalances(
  before: Balances,
  running: Running,
  asked: readonly Asked[],
  { payments }: Truth,
): Balances {
  const balances = new Map(before)
  const add = (name: UserName, msat: bigint) => balances.set(name, (balances.get(name) ?? 0n) + msat)
  const ownerOf = new Map([...running.users].map(([name, { device }]) => [device.pubkey, name]))
  const byAmount = new Map(asked.map(({ wish }) => [wish.kind === 'pay' ? wish.amountMsat : null, wish]))
  for (const payment of payments) {
    if (payment.phase !== 'succeeded') continue
    const wish = byAmount.get(payment.requestedMsat)
    const payee = wish?.kind === 'pay' ? wish.payee : undefined
    const payer = ownerOf.get(payment.owner)
    if (!payee || !payer) throw new Error(`Nobody asked for payment ${payment.id}.`)
    add(payer, -payment.amountMsat - payment.feeMsat)
    add(payee, payment.amountMsat)
  }
  return balances
}

/** The payer's device holds the preimage of each payment that succeeded. */
export async function findUnproven(running: Running, payments: readonly PaymentState[]): Promise<string[]> {
  const faults: string[] = []
  for (const payment of payments) {
    if (payment.phase !== 'succeeded') continue
    const payer = [...running.users.values()].find(({ device }) => device.pubkey === payment.owner)
    const proof = await payer?.device.proof(payment.nodePaymentId)
    const hash = createHash('sha256')
      .update(Buffer.from(proof?.preimage ?? '', 'hex'))
      .digest('hex')
    if (hash !== payment.paymentHash) faults.push(`payment ${payment.id} has no proof`)
  }
  return faults
}

/** What the zone's own server says: the record of every active name, and none of a name that is free. */
export async function findZoneFaults(
  dns: { host: string; port: number },
  { names }: Truth,
): Promise<string[]> {
  const resolver = new Resolver({ timeout: 2_000, tries: 3 })
  resolver.setServers([`${dns.host}:${dns.port}`])
  const faults: string[] = []
  for (const name of names) {
    const wanted = name.phase === 'active' ? [recordValue(name.live.offer)] : []
    const found = await txtAt(resolver, `${name.user}.user._bitcoin-payment.${DOMAIN}`)
    if (!isDeepStrictEqual(found, wanted))
      faults.push(`${name.user} is ${name.phase}, and its record is ${JSON.stringify(found)}`)
  }
  return faults
}

async function txtAt(resolver: Resolver, recordName: string): Promise<string[]> {
  try {
    return (await resolver.resolveTxt(recordName)).map((chunks) => chunks.join(''))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTFOUND' || code === 'ENODATA') return []
    throw error
  }
}

/** How each ended, by the id of the name, payment or address invoice. */
export function endsOf({ names, payments, addressInvoices }: Truth): Map<string, string> {
  return new Map([
    // A look at an invoice is known by its payment hash.
    ...addressInvoices.flatMap(({ id, paymentHash, phase }) => [
      [id, phase] as const,
      [paymentHash, phase] as const,
    ]),
    ...names.map(({ id, phase }) => [id, phase] as const),
    ...payments.map(
      (payment) => [payment.id, payment.phase === 'failed' ? payment.cause : payment.phase] as const,
    ),
  ])
}
