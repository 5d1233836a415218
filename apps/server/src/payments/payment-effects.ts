import { setTimeout as sleep } from 'node:timers/promises'
import { isRefusal, type Refusal } from '@holdfast/core'
import type { NodeOutcome, PaymentReport, PaymentState } from '@holdfast/core/payments/payment-states'
import { NodeError, type Payer } from '@holdfast/lightning'
import type { BitcoinUri } from '@holdfast/protocols/bip321'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { OpenDatabase } from '../platform/database.ts'
import type { Task } from '../platform/jobs.ts'
import { payableOfUri } from './parse-destination.ts'
import type { TellPayment } from './payment-saga.ts'
import { findPayment } from './payment-store.ts'

export type ResolvePayee = (name: string) => Promise<{ readonly parsed: BitcoinUri } | Refusal>

export type EffectDeps = {
  database: Pick<OpenDatabase, 'db'>
  nodes: NodeDirectory
  resolve: ResolvePayee
  clock: () => number
  tell: TellPayment
}

type Sending = Extract<PaymentState, { phase: 'sending' }>
type Undecided = Extract<PaymentState, { phase: 'sending' | 'unknown' }>

/** How long one run of a job follows the node; after that the saga's own backoff takes over. */
const FOLLOW_MS = 5_000
const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 100
const NODE_TIMEOUT_MS = 15_000

/** One task per effect: looks whether it is still wanted, performs it, reports what became of it. */
export function makePaymentTasks(deps: EffectDeps): Record<string, Task> {
  const { nodes, clock, tell } = deps
  const read = async ({ id, attempt }: Parameters<Task>[0]) => {
    const state = await findPayment(deps.database.db, String(id))
    const current =
      state?.phase === 'resolving' || state?.phase === 'sending' || state?.phase === 'unknown' ? state : null
    return current?.attempt === attempt ? current : null
  }

  return {
    'payments:resolve': async (payload) => {
      const state = await read(payload)
      if (state?.phase !== 'resolving') return
      const node = await nodes.nodeOf(state.owner)
      const report = await resolvePayee(state, node?.network)
      await tell(state.id, report)
    },
    'payments:pay': async (payload, { signal }) => {
      const state = await read(payload)
      if (state?.phase !== 'sending') return
      // Never after the deadline, however late this job came: then the node is only asked.
      const report = clock() < state.deadlineAt ? await pay(state, signal) : await lookUp(state, signal)
      await tell(state.id, report)
    },
    'payments:look-up': async (payload, { signal }) => {
      const state = await read(payload)
      if (state?.phase !== 'sending' && state?.phase !== 'unknown') return
      await tell(state.id, await lookUp(state, signal))
    },
    'payments:wake': async ({ id }) => {
      await tell(String(id), { kind: 'time-passed' })
    },
  }

  async function resolvePayee(
    { name, attempt }: Extract<PaymentState, { phase: 'resolving' }>,
    network: Parameters<typeof payableOfUri>[1]['network'] | undefined,
  ): Promise<PaymentReport> {
    const failed = (code: Refusal['refused'], again: boolean): PaymentReport => {
      return { kind: 'resolve-failed', attempt, code, again }
    }
    if (network === undefined) return failed('NODE_NOT_CONNECTED', true)
    const resolved = await deps.resolve(name)
    if (isRefusal(resolved)) return failed(resolved.refused, resolved.refused === 'DNS_UNAVAILABLE')
    const payable = payableOfUri(resolved.parsed, { network, now: clock() })
    return isRefusal(payable) ? failed(payable.refused, false) : { kind: 'resolved', payable }
  }

  async function pay(state: Sending, signal: AbortSignal): Promise<PaymentReport> {
    const { attempt, payable, amountMsat, maxFeeMsat, nodePaymentId: paymentId } = state
    return withPayer(state, 'pay', async (payer) => {
      const destination =
        payable.kind === 'bolt11'
          ? { kind: payable.kind, invoice: payable.invoice }
          : { kind: payable.kind, offer: payable.offer }
      const timeoutMs = state.deadlineAt - clock()
      const first = await within(
        NODE_TIMEOUT_MS,
        payer.pay({ paymentId, destination, amountMsat, maxFeeMsat, timeoutMs }),
      )
      return { kind: 'outcome', attempt, outcome: await follow(payer, paymentId, first, signal) }
    })
  }

  async function lookUp(state: Undecided, signal: AbortSignal): Promise<PaymentReport> {
    const { attempt, nodePaymentId } = state
    return withPayer(state, 'look-up', async (payer) => {
      const first = await ask(payer, nodePaymentId)
      return { kind: 'outcome', attempt, outcome: await follow(payer, nodePaymentId, first, signal) }
    })
  }

  async function withPayer(
    { owner, attempt }: Undecided,
    effect: 'pay' | 'look-up',
    work: (payer: Payer) => Promise<PaymentReport>,
  ): Promise<PaymentReport> {
    try {
      const node = await within(NODE_TIMEOUT_MS, nodes.nodeOf(owner))
      if (!node?.payer) return { kind: 'node-unreachable', attempt, effect, code: 'NODE_NOT_CONNECTED' }
      return await work(node.payer)
    } catch (error) {
      if (!(error instanceof NodeError)) throw error
      return error.code === 'offline' || effect === 'look-up'
        ? { kind: 'node-unreachable', attempt, effect, code: 'NODE_OFFLINE' }
        : { kind: 'pay-refused', attempt, code: 'PAYMENT_FAILED' }
    }
  }
}

/** Most payments end within a second: it is worth waiting a moment before the next job. */
async function follow(
  payer: Payer,
  paymentId: string,
  first: NodeOutcome,
  signal: AbortSignal,
): Promise<NodeOutcome> {
  const until = performance.now() + FOLLOW_MS
  let outcome = first
  for (
    let pause = FIRST_PAUSE_MS;
    outcome.state === 'pending';
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
  ) {
    if (signal.aborted || performance.now() + pause > until) break
    await sleep(pause)
    outcome = await ask(payer, paymentId)
  }
  return outcome
}

async function ask(payer: Payer, paymentId: string): Promise<NodeOutcome> {
  return (await within(NODE_TIMEOUT_MS, payer.lookup(paymentId))) ?? { state: 'absent' }
}

/** Gives up waiting, not the work: a node that does not answer is as good as offline, and is asked again. */
async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NodeError('offline', `no answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}
