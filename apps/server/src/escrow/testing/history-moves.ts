import fc from 'fast-check'
import type { EscrowWish } from '../escrow-slice.ts'
import { ARBITER, BUYER, FEE_MSAT, HOUR_MS, PAYOUT_MSAT, WORKER } from './escrow-world.ts'
import type { Fate, HistoryWorld } from './history-world.ts'

const FUNDING_MSAT = PAYOUT_MSAT + FEE_MSAT

/** One thing that happens to some escrows of one operator; plain data, so that a counterexample can be read. */
export type Move =
  | { readonly do: 'job'; readonly pick: number; readonly fate: Fate | 'twice' | 'answer-lost' | 'offline' }
  | { readonly do: 'go-on' }
  | { readonly do: 'ask'; readonly wish: EscrowWish; readonly at: number; readonly fate: Fate }
  | { readonly do: 'invoice'; readonly milestone: number; readonly at: number; readonly isUsed: boolean }
  | { readonly do: 'refund-invoice'; readonly at: number }
  | { readonly do: 'pay'; readonly pick: number; readonly moreMsat: bigint }
  | { readonly do: 'answer'; readonly succeeds: boolean }
  | { readonly do: 'leak'; readonly pick: number; readonly at: number; readonly fate: Fate }
  | { readonly do: 'follow' | 'guard' | 'sweep' | 'followClaims'; readonly fate: Fate | 'twice' }
  /** Whether the peer of the channel answers, over which holds are claimed; and how claims from a silent one end. */
  | { readonly do: 'silence'; readonly isSilent: boolean }
  | { readonly do: 'end-claims'; readonly how: 'final' | 'lost' }
  | { readonly do: 'restart' }
  | { readonly do: 'pass'; readonly ms: number }
  /** The clock alone, without a block. */
  | { readonly do: 'jump'; readonly ms: number }

const pick = fc.nat(7)
const milestone = fc.constantFrom(0, 0, 0, 1)
const fate = fc.constantFrom<Fate>('kept', 'kept', 'kept', 'abandoned', 'unanswered', 'slow')

const wish: fc.Arbitrary<EscrowWish> = milestone.chain((milestone) =>
  fc.constantFrom<EscrowWish>(
    { kind: 'fund', by: BUYER, milestone },
    { kind: 'fund', by: BUYER, milestone },
    { kind: 'submit-proof', by: WORKER, milestone, text: 'done', digest: null },
    { kind: 'approve', by: BUYER, milestone },
    { kind: 'approve', by: BUYER, milestone },
    { kind: 'approve', by: WORKER, milestone },
    { kind: 'request-revision', by: BUYER, milestone, reason: 'no' },
    { kind: 'open-dispute', by: WORKER, milestone, reason: 'yes' },
    { kind: 'resolve-dispute', by: ARBITER, milestone, to: 'release' },
    { kind: 'resolve-dispute', by: ARBITER, milestone, to: 'refund' },
    { kind: 'refund', by: WORKER, milestone },
    { kind: 'refund', by: 'operator', milestone },
    { kind: 'cancel', by: BUYER },
    { kind: 'apply', by: WORKER, message: '' },
    { kind: 'assign', by: BUYER, worker: WORKER },
  ),
)

export const moves: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('job' as const),
      pick,
      fate: fc.oneof({ weight: 2, arbitrary: fate }, fc.constantFrom('twice', 'answer-lost', 'offline')),
    }),
  },
  { weight: 2, arbitrary: fc.constant<Move>({ do: 'go-on' }) },
  { weight: 9, arbitrary: fc.record({ do: fc.constant('ask' as const), wish, at: pick, fate }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('invoice' as const),
      milestone,
      at: pick,
      isUsed: fc.nat(7).map((n) => n === 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refund-invoice' as const), at: pick }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('pay' as const),
      pick,
      moreMsat: fc.constantFrom(0n, 0n, 0n, 7n, FUNDING_MSAT, FUNDING_MSAT + 1n, -1n),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('answer' as const), succeeds: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leak' as const), pick, at: pick, fate }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('follow', 'follow', 'follow', 'guard', 'followClaims', 'sweep'),
      fate: fc.oneof({ weight: 3, arbitrary: fate }, fc.constant('twice' as const)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Move>(
      { do: 'silence', isSilent: true },
      { do: 'silence', isSilent: false },
      { do: 'end-claims', how: 'final' },
      { do: 'end-claims', how: 'lost' },
    ),
  },
  { weight: 1, arbitrary: fc.constant<Move>({ do: 'restart' }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Move>(
      { do: 'pass', ms: 61_000 },
      { do: 'pass', ms: 61 * 60_000 },
      { do: 'pass', ms: 7 * HOUR_MS },
      { do: 'pass', ms: 30 * HOUR_MS },
      { do: 'jump', ms: 3 * HOUR_MS },
      { do: 'jump', ms: -3 * HOUR_MS },
    ),
  },
)

/** What happens to the escrows of `world`; whatever does not apply just now does nothing. */
export async function make(world: HistoryWorld, move: Move): Promise<void> {
  const { node, ids, slice } = world
  switch (move.do) {
    case 'job':
      return runJob(world, move)
    case 'go-on':
      return world.goOn()
    case 'ask':
      await world.ask(ids[move.at % ids.length]!, move.wish, move.fate)
      return
    case 'invoice': {
      const used = move.isUsed ? [...world.preimages.keys()][0] : undefined
      const invoice = world.invoiceOf(PAYOUT_MSAT, used)
      const { milestone } = move
      await world.ask(ids[move.at % ids.length]!, { kind: 'submit-invoice', by: WORKER, milestone, invoice })
      return
    }
    case 'refund-invoice':
      return askForRefund(world, ids[move.at % ids.length]!)
    case 'pay': {
      const open = [...node.holds].filter(([, { state }]) => state.state === 'open')
      const [hash, hold] = open[move.pick % (open.length || 1)] ?? []
      if (hash && hold) node.buyerPays(hash, hold.request.amountMsat + move.moreMsat)
      return
    }
    case 'answer':
      return node.payeeAnswers(move.succeeds)
    case 'leak': {
      const hashes = [...world.preimages.keys()]
      const preimage = world.preimages.get(hashes[move.pick % (hashes.length || 1)] ?? '')
      const id = ids[move.at % ids.length]!
      if (preimage === undefined) return
      await world.dying(move.fate, async () => {
        for (const milestone of [0, 1]) await slice.reportPreimage({ id, milestone, preimage })
      })
      return
    }
    case 'follow':
    case 'guard':
    case 'followClaims':
    case 'sweep': {
      const act = move.do === 'follow' ? () => slice.follow({ waitMs: 0 }) : slice[move.do]
      if (move.fate === 'twice') await world.dying('kept', () => Promise.all([act(), act()]))
      else await world.dying(move.fate, act)
      return
    }
    case 'silence':
      node.peerIsSilent = move.isSilent
      return
    case 'end-claims':
      return node.endClaims(move.how)
    case 'restart':
      return world.restart()
    case 'pass':
      return world.pass(move.ms)
    case 'jump':
      world.time.now += move.ms
      return
  }
}

async function runJob(world: HistoryWorld, { pick, fate }: Extract<Move, { do: 'job' }>): Promise<void> {
  const job = world.takeJob(pick)
  if (job === undefined) return
  const { node } = world
  switch (fate) {
    case 'twice':
      await Promise.all([world.perform(job), world.perform(job)])
      return
    case 'answer-lost':
    case 'offline':
      // Of the node: its answer does not arrive, or the request does not.
      node.loseAnswers = fate === 'answer-lost' ? 1 : 0
      node.offline = fate === 'offline'
      await world.perform(job)
      node.loseAnswers = 0
      node.offline = false
      return
    default:
      return world.perform(job, fate)
  }
}

export async function askForRefund(world: HistoryWorld, id: string): Promise<void> {
  const state = await world.slice.find(id)
  for (const milestone of state?.milestones ?? []) {
    if (milestone.phase !== 'premature') continue
    const invoice = world.invoiceOf(milestone.owedMsat)
    await world.ask(id, { kind: 'submit-refund-invoice', by: BUYER, milestone: milestone.index, invoice })
  }
}
