import type { Paint } from '../layout.ts'
import { showMsat } from '../show-amount.ts'

type Facts = Record<string, unknown>

/** A step of the escrows as a person reads it; `heading` stands above those that follow. */
type Line = {
  readonly text: (facts: Facts) => string
  readonly heading?: boolean
  readonly mark?: 'done' | 'note'
}

const short = (hash: unknown) => `${String(hash).slice(0, 8)}…`
/** Of a task with several milestones: which one is meant, counted from 1 for people. */
const milestoneOf = ({ milestone, of }: Facts) =>
  Number(of) > 1 ? `milestone ${Number(milestone) + 1}` : null

const ESCROW_LINES: Readonly<Record<string, Line>> = {
  'escrow-story': {
    heading: true,
    text: ({ number, of, title }) => `Escrow ${number} of ${of}: ${title}`,
  },
  'escrow-created': {
    text: ({ kind, title, payoutMsat, feeMsat, milestones }) =>
      kind === 'TASK'
        ? `Dave publishes the task “${title}”: ${milestones} milestones, together ${showMsat(payoutMsat)} and a fee of ${showMsat(feeMsat)}.`
        : `Dave orders “${title}” from Carol: ${showMsat(payoutMsat)}, and a fee of ${showMsat(feeMsat)}.`,
  },
  'escrow-assigned': { text: () => 'Carol applies; Dave gives her the task.' },
  'escrow-invoice': {
    text: (facts) =>
      `Carol’s wallet makes an invoice for ${milestoneOf(facts) ?? 'her pay'}, ${showMsat(facts.amountMsat)}. Its payment hash is ${short(facts.payoutHash)}; the preimage stays in her wallet.`,
  },
  'escrow-funding': {
    text: ({ amountMsat, fundingHash }) =>
      `The operator’s node asks Dave for ${showMsat(amountMsat)} on the same hash ${short(fundingHash)}, as both signed invoices show.`,
  },
  'escrow-held': {
    mark: 'done',
    text: ({ heldMsat, buyerMsat, workerMsat, blocksLeft }) =>
      `Held: ${showMsat(heldMsat)}. Dave’s payment is pending; the operator cannot claim it: it has no preimage. It goes back by itself in ${blocksLeft} blocks. Dave has ${showMsat(buyerMsat)}, Carol ${showMsat(workerMsat)}.`,
  },
  'escrow-proof': { text: ({ text }) => `Carol shows her work: “${text}”.` },
  'escrow-released': {
    mark: 'done',
    text: ({ paidMsat }) =>
      `Dave approves. The operator pays Carol’s invoice of ${showMsat(paidMsat)}; her wallet takes it, which reveals the preimage, and only now the operator can claim Dave’s payment. Released.`,
  },
  'escrow-refunded': {
    mark: 'done',
    text: (facts) =>
      `Carol gives ${milestoneOf(facts) ?? 'the money'} back: Dave’s payment fails, and his ${showMsat(facts.refundedMsat)} are his again. Refunded.`,
  },
  'escrow-leaked': {
    mark: 'note',
    text: () =>
      'SIMULATED: Carol leaks the preimage, and a node on the way takes Dave’s payment with it. LDK will not play the thief, so the demo shows the preimage to Dave’s wallet itself. All that follows is real.',
  },
  'escrow-premature': {
    mark: 'done',
    text: ({ owedMsat }) =>
      `Caught: Dave’s wallet reports the preimage by itself. The operator claims with it, and owes him ${showMsat(owedMsat)}; this stands in the journal against Carol, and her invoice is never paid.`,
  },
  'escrow-repaid': {
    mark: 'done',
    text: ({ repaidMsat }) =>
      `Dave’s wallet makes an invoice, and the operator repays ${showMsat(repaidMsat)}.`,
  },
  'escrow-ended': {
    text: ({ buyerBefore, buyerAfter, workerBefore, workerAfter, routingMsat, journalEntries }) =>
      `Dave ${showMsat(buyerBefore)} → ${showMsat(buyerAfter)}${routingMsat ? ` (routing cost him ${showMsat(routingMsat)})` : ''}, Carol ${showMsat(workerBefore)} → ${showMsat(workerAfter)}, ${journalEntries} journal entries.`,
  },
}

/** The text, how long it took, and what stands before it. */
export function escrowLine(step: string, facts: Facts, paint: Paint) {
  const line = ESCROW_LINES[step]
  if (!line) return null
  if (line.heading) return { heading: true, text: paint('bold', line.text(facts)), mark: '' }
  const time = facts.ms === undefined ? '' : ` ${paint('dim', `(${facts.ms}\u00a0ms)`)}`
  const mark = { done: paint('green', '✓'), note: paint('yellow', '!'), none: '·' }[line.mark ?? 'none']
  return { heading: false, text: `${line.text(facts)}${time}`, mark }
}
