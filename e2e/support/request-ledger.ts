import { randomBytes } from 'node:crypto'
import { createHoldfastClient, type HoldfastClient, HoldfastError, secretKeySigner } from '@holdfast/client'
import type { DevnetUser, UserName } from './devnet-user.ts'

/** What is asked of the server. No two registrations share a name, and no two payments an amount. */
export type Wish =
  | { readonly kind: 'register'; readonly user: string; readonly offer?: string }
  | { readonly kind: 'release'; readonly user: string }
  | { readonly kind: 'change-offer'; readonly user: string }
  | { readonly kind: 'propose-transfer'; readonly user: string; readonly to: UserName }
  | { readonly kind: 'accept-transfer' | 'cancel-transfer'; readonly user: string }
  /** By the operator, whoever owns the name. */
  | { readonly kind: 'suspend' | 'resume'; readonly user: string }
  | { readonly kind: 'pay'; readonly to: string; readonly payee: UserName; readonly amountMsat: bigint }

/** A request with the key under which it is repeated until it is answered. */
export type Asked = {
  readonly wish: Wish
  readonly by: UserName
  readonly idempotencyKey: string
  /** The registration's, the change's or the payment's id, or the code of the refusal. Null: the server died before it answered. */
  answer: { readonly id: string } | { readonly refused: string } | null
}

/** A running server: requests end with `died` when it is killed. */
export type Running = {
  readonly url: string
  readonly users: ReadonlyMap<UserName, DevnetUser>
  readonly died: AbortSignal
}

export const DOMAIN = 'shop.test'

/** HOLDFAST_OPERATORS of the servers. */
export const OPERATOR = secretKeySigner(new Uint8Array(randomBytes(32)))

/** Everything that was ever asked, across the lives of the server. */
export class RequestLedger {
  readonly all: Asked[] = []

  /** Keeps the request, then sends it; resolves when it is answered or the server has died. */
  async ask(running: Running, by: UserName, wish: Wish): Promise<Asked> {
    const asked: Asked = { wish, by, idempotencyKey: randomBytes(16).toString('hex'), answer: null }
    this.all.push(asked)
    asked.answer = await send(running, asked)
    return asked
  }

  get unanswered(): readonly Asked[] {
    return this.all.filter(({ answer }) => answer === null)
  }

  /** Sends what was not answered once more, under the same keys, to the server's next life. */
  async repeatUnanswered(running: Running): Promise<void> {
    await Promise.all(
      this.unanswered.map(async (asked) => {
        asked.answer = await send(running, asked)
      }),
    )
  }

  /** Sends again what was answered, under the same key, and answers those to which the server now says something else. */
  async repeatAnswered(running: Running, which: readonly Asked[]): Promise<Asked[]> {
    const again = await Promise.all(which.map((asked) => send(running, asked)))
    return which.filter(({ answer }, index) => JSON.stringify(answer) !== JSON.stringify(again[index]))
  }
}

async function send(running: Running, asked: Asked): Promise<Asked['answer']> {
  if (running.died.aborted) return null
  const dead = new Promise<null>((resolve) => {
    running.died.addEventListener('abort', () => resolve(null), { once: true })
  })
  return Promise.race([dead, answerTo(running, asked)])
}

async function answerTo(running: Running, { wish, by, idempotencyKey }: Asked): Promise<Asked['answer']> {
  const { client } = running.users.get(by)!
  const options = { idempotencyKey, signal: running.died }
  try {
    switch (wish.kind) {
      case 'register': {
        const { kind, ...name } = wish
        return { id: (await client.registerName({ ...name, domain: DOMAIN }, options)).id }
      }
      case 'pay':
        return { id: (await client.pay({ to: wish.to, amountMsat: wish.amountMsat }, options)).id }
      case 'release':
        return { id: (await client.releaseName(nameOf(wish), options)).jobId }
      case 'change-offer':
        return { id: (await client.changeOffer(nameOf(wish), {}, options)).id }
      case 'propose-transfer': {
        const { pubkey } = running.users.get(wish.to)!.device
        return { id: (await client.proposeTransfer(nameOf(wish), pubkey, options)).jobId }
      }
      case 'cancel-transfer':
        return { id: (await client.cancelTransfer(nameOf(wish), options)).jobId }
      case 'accept-transfer':
        return { id: (await client.acceptTransfer(nameOf(wish), {}, options)).id }
      case 'suspend':
        return { id: (await operatorOf(running).suspendName(nameOf(wish), options)).jobId }
      case 'resume':
        return { id: (await operatorOf(running).resumeName(nameOf(wish), options)).id }
    }
  } catch (error) {
    if (isUnanswered(error)) return null
    if (error instanceof HoldfastError && error.status > 0) return { refused: error.code }
    throw error
  }
}

function operatorOf({ url }: Running): HoldfastClient {
  return createHoldfastClient({ baseUrl: url, signer: OPERATOR })
}

function nameOf({ user }: { user: string }): string {
  return `${user}@${DOMAIN}`
}

/** The connection broke, by fetch's own words or the client's, or the server is known to be dead. */
function isUnanswered(error: unknown): boolean {
  if (error instanceof HoldfastError) return error.code === 'NETWORK_FAILED'
  return error instanceof TypeError || (error instanceof DOMException && error.name === 'AbortError')
}
