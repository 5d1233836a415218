import type { Clock } from '../clock.ts'
import { clientError, HoldfastError } from '../holdfast-error.ts'
import type { EscrowClient } from './escrow-client.ts'
import { isPassing, retryAfterMs } from './follow-updates.ts'
import type { MilestonePhase } from './operations.generated.ts'
import { paymentHashOf } from './worker-secret.ts'

/** What the buyer's own wallet says of the payment that funds a milestone. */
export type WalletPayment =
  /** Also when nobody can say: a payment of a hold stays so until the end. */
  | { readonly state: 'pending' }
  /** The money is back. */
  | { readonly state: 'failed' }
  /** 32 bytes in hex. */
  | { readonly state: 'succeeded'; readonly preimage: string }

export type FundingWatch = {
  readonly taskId: string
  readonly milestone: number
  /** Of the funding invoice: what the wallet shows must belong to it. */
  readonly paymentHash: string
  /** Asks the wallet; it may take its time and answer when something has changed. What it throws is asked again. */
  readonly lookUp: (signal: AbortSignal) => Promise<WalletPayment>
  /** Between two questions to the wallet. Default 2 s. */
  readonly pollMs?: number
  readonly signal?: AbortSignal
  /** Told of each question and each report that failed and is repeated. */
  readonly onTrouble?: (error: unknown) => void
}

/** `phase`: of the milestone, as the server told it last; null where it was not asked. */
export type FundingEnd = {
  /**
   * `returned`: the payment failed; the money never left, or came back. `released`: the worker was paid. `premature`:
   * the preimage came before the release; the server has it, and the operator owes the money to the buyer.
   * `disputed`: the server holds that the money went back, although it was taken; the preimage proves the payment.
   */
  readonly outcome: 'returned' | 'released' | 'premature' | 'disputed'
  readonly phase: MilestonePhase | null
}

const POLL_MS = 2_000
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 30_000

/**
 * Follows the buyer's payment to its end, for as long as the money is locked; a wallet runs it for each payment that
 * funds a milestone, again after every start. A preimage that arrives is reported at once, and until the server has
 * it: when it arrives before the release, whoever leaked it to a node on the way would else have the money for good.
 * After a release the server refuses the report, which harms nobody.
 *
 * Throws `HoldfastError` `PREIMAGE_WRONG` when the wallet shows another's preimage, what the server has understood and
 * will not take, such as `ESCROW_NOT_FOUND`, and the signal's reason. Everything else is tried again: a wrong clock, a
 * signer that is locked, a page of a proxy.
 */
export async function watchFunding(
  { escrow, clock }: { readonly escrow: Pick<EscrowClient, 'reportPreimage'>; readonly clock: Clock },
  watch: FundingWatch,
): Promise<FundingEnd> {
  const signal = watch.signal ?? new AbortController().signal
  for (;;) {
    signal.throwIfAborted()
    const payment = await lookUp(watch, signal)
    if (payment.state === 'failed') return { outcome: 'returned', phase: null }
    if (payment.state === 'succeeded') {
      // Wallets spell it in capitals, too.
      const preimage = payment.preimage.toLowerCase()
      if (!fits(preimage, watch.paymentHash.toLowerCase())) {
        throw clientError(
          'PREIMAGE_WRONG',
          'The wallet shows a preimage that is not that of this payment.',
          'Look for the payment by the payment hash of the funding invoice.',
        )
      }
      return report({ escrow, clock }, watch, preimage, signal)
    }
    await clock.sleep(watch.pollMs ?? POLL_MS, signal)
  }
}

async function lookUp({ lookUp: ask, onTrouble }: FundingWatch, signal: AbortSignal): Promise<WalletPayment> {
  try {
    return await ask(signal)
  } catch (error) {
    signal.throwIfAborted()
    onTrouble?.(error)
    return { state: 'pending' }
  }
}

/** Each attempt has a key of its own: a refusal that was stored would be answered again for ever. */
async function report(
  { escrow, clock }: { readonly escrow: Pick<EscrowClient, 'reportPreimage'>; readonly clock: Clock },
  { taskId, milestone, onTrouble }: FundingWatch,
  preimage: string,
  signal: AbortSignal,
): Promise<FundingEnd> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    let error: unknown
    try {
      const { phase } = (await escrow.reportPreimage({ taskId, milestone, preimage }, { signal })).milestone
      return endOf(phase) ?? { outcome: 'premature', phase }
    } catch (thrown) {
      signal.throwIfAborted()
      error = thrown
    }
    const said = error instanceof HoldfastError ? error : null
    const end = said?.code === 'ESCROW_WRONG_PHASE' ? endOf(phaseIn(said)) : null
    if (end !== null) return end
    if (said !== null && isFinal(said)) throw said
    onTrouble?.(error)
    await clock.sleep(Math.max(retryAfterMs(said), pause * (0.5 + clock.random() / 2)), signal)
  }
}

/** In another phase the server has not yet heard of the money, or of the report; what is no answer of ours says nothing. */
function isFinal(error: HoldfastError): boolean {
  const { code, status } = error
  if (code === 'SIGNER_REQUIRED') return true
  const isUnderstood = status >= 400 && status < 500 && status !== 401 && code !== 'RESPONSE_INVALID'
  return isUnderstood && code !== 'ESCROW_WRONG_PHASE' && !isPassing(error)
}

/** How it ended, as the server tells; null: it may still take the preimage. */
function endOf(phase: MilestonePhase): FundingEnd | null {
  switch (phase) {
    case 'CLAIMING':
    case 'RELEASED':
    case 'LOST':
      return { outcome: 'released', phase }
    case 'PREMATURE':
    case 'REPAYING':
    case 'REPAID':
      return { outcome: 'premature', phase }
    case 'REFUNDED':
    case 'CANCELLED':
    case 'EXPIRED':
      return { outcome: 'disputed', phase }
    default:
      return null
  }
}

/** The catalogue's words for a phase are those of the machine: `payout-unknown`. */
function phaseIn({ data }: HoldfastError): MilestonePhase {
  return String(data.phase ?? '')
    .toUpperCase()
    .replaceAll('-', '_') as MilestonePhase
}

function fits(preimage: string, paymentHash: string): boolean {
  return /^[0-9a-f]{64}$/.test(preimage) && paymentHashOf(preimage) === paymentHash
}
