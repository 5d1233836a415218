import { setTimeout as sleep } from 'node:timers/promises'
import { USER_NAMES, type UserName } from './devnet-user.ts'
import type { KillPoint } from './kill-plan.ts'
import { type Asked, DOMAIN, type RequestLedger, type Running, type Wish } from './request-ledger.ts'
import type { Random } from './seeded-random.ts'
import type { ServerStep } from './server-steps.ts'

/** Names that are never released: everybody can pay them. */
export type Shop = { readonly owner: UserName; readonly name: string; readonly offer: string }

/** An active name that may be released, or given away. */
export type SpareName = { readonly owner: UserName; readonly user: string }

/** More than a user of the devnet can ever send. */
const TOO_MUCH_MSAT = 9_900_000_000n
const READY_WITHIN_MS = 60_000
const NOT_OF_A_NAME: ReadonlySet<ServerStep['needs']> = new Set(['new name', 'too much', 'address invoice'])

/** Sends what brings some saga to every step: registrations, changes, releases and payments, many at once. */
export class KillWorkload {
  readonly #random: Random
  readonly #ledger: RequestLedger
  readonly #spare: SpareName[] = []
  readonly #suspended: SpareName[] = []
  #count = 0

  constructor(random: Random, ledger: RequestLedger) {
    this.#random = random
    this.#ledger = ledger
  }

  /** Registers the names that will be paid, in peace. */
  async openShops(running: Running): Promise<Shop[]> {
    return Promise.all(
      USER_NAMES.map(async (owner) => {
        const user = `shop-${owner}`
        const offer = await this.#registerInPeace(running, owner, user)
        return { owner, name: `₿${user}@${DOMAIN}`, offer }
      }),
    )
  }

  /** Finds the name whose release, suspension, … brings some saga to `point`; null when none is needed. */
  async prepare(running: Running, point: KillPoint<ServerStep>): Promise<SpareName | null> {
    const needs = needsOf(point)
    const isOfName = needs !== null && !NOT_OF_A_NAME.has(needs)
    if (!isOfName && !this.#random.chance(0.3)) return null
    const spare = await this.#findSpare(running)
    if (needs === 'resumption') {
      await this.#ledger.ask(running, spare.owner, { kind: 'suspend', user: spare.user })
      await this.#reach(running, spare, 'suspended')
    }
    return spare
  }

  async #findSpare(running: Running): Promise<SpareName> {
    while (this.#spare.length > 0) {
      const spare = this.#spare.shift()!
      const { client } = running.users.get(spare.owner)!
      const known = await client.findName(`${spare.user}@${DOMAIN}`)
      if (known?.state !== 'active') continue
      // It counts as active, but what a life before this one asked for must have ended before it can be given away.
      if (known.changeJobId !== undefined)
        await client.waitForJob(known.changeJobId, { timeoutMs: READY_WITHIN_MS })
      return spare
    }
    const spare = { owner: this.#random.pick(USER_NAMES), user: this.#nextUser() }
    await this.#registerInPeace(running, spare.owner, spare.user)
    return spare
  }

  /** Sends a handful of requests at once, so that some saga comes to `point`. None is waited for. */
  begin(
    running: Running,
    shops: readonly Shop[],
    point: KillPoint<ServerStep>,
    prepared: SpareName | null,
  ): void {
    const random = this.#random
    const needs = needsOf(point)
    const ask = (by: UserName, wish: Wish) => this.#ledger.ask(running, by, wish)

    const made = { owner: random.pick(USER_NAMES), user: this.#nextUser() }
    const making = ask(made.owner, { kind: 'register', user: made.user })
    if (random.chance(0.3)) void making.then(() => ask(made.owner, { kind: 'release', user: made.user }))
    else this.#spare.push(made)
    const { offer } = random.pick(shops)
    void ask(random.pick(USER_NAMES), { kind: 'register', user: this.#nextUser(), offer })
    const changed = this.#spare[0]
    if (changed && random.chance(0.7)) void ask(changed.owner, { kind: 'change-offer', user: changed.user })
    const resumed = this.#suspended.shift()
    if (resumed) void ask(resumed.owner, { kind: 'resume', user: resumed.user })
    if (prepared) this.#end(prepared, needs, ask)

    for (const by of random.shuffled(USER_NAMES).slice(0, 3)) {
      const shop = random.pick(shops.filter(({ owner }) => owner !== by))
      const to = random.chance(0.6) ? shop.name : shop.offer
      void ask(by, { kind: 'pay', to, payee: shop.owner, amountMsat: this.#nextAmount() })
    }
    // The names of the shops may be remembered; only one that nobody has asked for yet is sure to be resolved.
    if (needs === 'new name') {
      const [payer, payee] = random.shuffled(shops)
      const to = `₿${this.#nextUser()}@${DOMAIN}`
      void ask(payer!.owner, { kind: 'pay', to, payee: payee!.owner, amountMsat: this.#nextAmount() })
    }
    if (needs === 'address invoice' || random.chance(0.25)) {
      const [payer, payee] = random.shuffled(shops)
      const amountMsat = this.#nextAmount()
      void askForInvoice(running, payee!, amountMsat).then((to) =>
        to === null ? null : ask(payer!.owner, { kind: 'pay', to, payee: payee!.owner, amountMsat }),
      )
    }
    if (needs === 'too much' || random.chance(0.25)) {
      const [payer, payee] = random.shuffled(shops)
      const amountMsat = TOO_MUCH_MSAT + this.#nextAmount()
      void ask(payer!.owner, { kind: 'pay', to: payee!.offer, payee: payee!.owner, amountMsat })
    }
  }

  /** What brings a saga of this active name to the step; most often it is given up. */
  #end(
    { owner, user }: SpareName,
    needs: ServerStep['needs'] | null,
    ask: (by: UserName, wish: Wish) => Promise<Asked>,
  ): void {
    switch (needs) {
      case 'change':
        void ask(owner, { kind: 'change-offer', user })
        this.#spare.push({ owner, user })
        return
      case 'transfer': {
        const to = this.#random.pick(USER_NAMES.filter((name) => name !== owner))
        void ask(owner, { kind: 'propose-transfer', user, to }).then(() =>
          ask(to, { kind: 'accept-transfer', user }),
        )
        return
      }
      case 'cancellation': {
        const to = this.#random.pick(USER_NAMES.filter((name) => name !== owner))
        void ask(owner, { kind: 'propose-transfer', user, to }).then(() =>
          ask(owner, { kind: 'cancel-transfer', user }),
        )
        this.#spare.push({ owner, user })
        return
      }
      case 'resumption':
        void ask(owner, { kind: 'resume', user })
        return
      case 'suspension':
        void ask(owner, { kind: 'suspend', user })
        this.#suspended.push({ owner, user })
        return
      default:
        void ask(owner, { kind: 'release', user })
    }
  }

  async #reach({ users }: Running, { owner, user }: SpareName, state: string): Promise<void> {
    const deadline = Date.now() + READY_WITHIN_MS
    while ((await users.get(owner)?.client.findName(`${user}@${DOMAIN}`))?.state !== state) {
      if (Date.now() > deadline) throw new Error(`${user} did not become ${state}.`)
      await sleep(20)
    }
  }

  async #registerInPeace(running: Running, owner: UserName, user: string): Promise<string> {
    const { answer }: Asked = await this.#ledger.ask(running, owner, { kind: 'register', user })
    if (!answer || !('id' in answer)) throw new Error(`${user} was not accepted: ${JSON.stringify(answer)}`)
    const { client } = running.users.get(owner)!
    const job = await client.waitForJob(answer.id, { timeoutMs: READY_WITHIN_MS })
    const { offer } = await client.getName(`${user}@${DOMAIN}`)
    if (job.state !== 'succeeded' || offer === undefined) throw new Error(`${user} did not become active.`)
    return offer
  }

  /** Letters only: digits and pairs that look alike would collide. */
  #nextUser(): string {
    const letters = [...(this.#count++).toString(8).padStart(5, '0')].map(
      (digit) => 'abcdefgh'[Number(digit)],
    )
    return `name-${letters.join('')}`
  }

  /** 1 to 20 thousand satoshi; the millisatoshi tell the payments apart. */
  #nextAmount(): bigint {
    return BigInt(1 + this.#random.below(20)) * 1_000_000n + BigInt(this.#count++)
  }
}

/** Of the payee's Lightning Address, as any wallet asks (LUD-06); null: the server died before it answered. */
async function askForInvoice(
  { url, died }: Running,
  { name }: Shop,
  amountMsat: bigint,
): Promise<string | null> {
  try {
    const callback = `${url}/lnurlp/${name.slice(1)}/callback?amount=${amountMsat}`
    const { pr } = (await (await fetch(callback, { signal: died })).json()) as { pr?: string }
    return pr ?? null
  } catch (error) {
    if (died.aborted || error instanceof TypeError) return null
    throw error
  }
}

function needsOf(point: KillPoint<ServerStep>): ServerStep['needs'] | null {
  return point.kind === 'step' ? (point.step.needs ?? null) : null
}
