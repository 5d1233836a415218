import { describe, expect, test } from 'vitest'
import { SUPPLY_MSAT } from '../money.ts'
import { isRefusal } from '../refusals.ts'
import { amountToPay, defaultMaxFee, parseMaxFee } from './payment-amount.ts'
import {
  causeOf,
  decidePayment,
  hearPayment,
  NEVER_SENT_GRACE_MS,
  replayPayment,
  retryDelayMs,
} from './payment-machine.ts'
import {
  type NodeFailureReason,
  PAYMENT_PHASES,
  type Payable,
  type PaymentReport,
  type PaymentState,
} from './payment-states.ts'
import { tryTimeoutMs } from './payment-tries.ts'
import {
  attemptOf,
  commands,
  DEADLINE,
  failed,
  HASH,
  NOW,
  OFFER,
  type Phase,
  reach,
  requested,
  said,
  succeeded,
  toName,
  unreachable,
} from './testing/payment-cases.ts'
import { paymentPage } from './testing/payment-page.ts'

/** `phase effect`: what every command leads to; `=`, the default: nothing changes. */
const TABLE: Record<Phase, Record<string, string>> = {
  resolving: {
    resolved: 'sending pay',
    'resolved to another price': 'failed AMOUNT_MISMATCH',
    'resolve-failed, again': 'resolving resolve',
    'resolve-failed for good': 'failed RESOLVE_BOGUS',
    'time-passed': '= resolve',
  },
  sending: {
    pending: 'sending look-up',
    unknown: 'unknown look-up',
    absent: 'sending pay',
    succeeded: 'succeeded',
    failed: 'failed PAYMENT_NO_ROUTE',
    'pay-refused': 'failed PAYMENT_FAILED',
    'unreachable to pay': 'sending pay',
    'unreachable to look up': 'sending look-up',
    'time-passed': '= look-up',
  },
  unknown: {
    pending: 'sending look-up',
    unknown: 'unknown look-up',
    absent: 'unknown look-up',
    succeeded: 'succeeded',
    failed: 'failed PAYMENT_NO_ROUTE',
    'unreachable to pay': 'unknown look-up',
    'unreachable to look up': 'unknown look-up',
    'time-passed': '= look-up',
  },
  succeeded: {},
  failed: { succeeded: 'succeeded' },
}

const cases = PAYMENT_PHASES.flatMap((phase) =>
  Object.keys(commands(0)).map((name) => {
    const standard = name === 'request' ? 'REQUEST_INVALID' : '='
    return [phase, name, TABLE[phase][name] ?? standard] as const
  }),
)

describe('every phase hears every command', () => {
  test.each(cases)('%s: %s → %s', (phase, name, expected) => {
    const before = reach(phase)
    const decision = decidePayment(before, commands(attemptOf(before))[name]!, NOW + 1)
    if (isRefusal(decision)) {
      expect([name, decision.refused]).toEqual(['request', expected])
      return
    }
    const { state, effects } = decision
    const cause = state.phase === 'failed' && state !== before ? [state.cause] : []
    const shown = [state === before ? '=' : state.phase, ...cause, ...effects.map(({ kind }) => kind)]
    expect(shown.join(' ')).toBe(expected)
  })

  test.each(cases.filter(([, name]) => name !== 'request' && name !== 'time-passed'))(
    '%s: %s, heard twice, is heard once',
    (phase, name) => {
      const before = reach(phase)
      const report = commands(attemptOf(before))[name] as PaymentReport
      const once = hearPayment(before, report, NOW + 1).state
      expect(hearPayment(once, report, NOW + 2)).toEqual({ state: once, effects: [] })
    },
  )

  test('as docs/state-machines/payments.md says; else run vitest with -u', async () => {
    await expect(paymentPage()).toMatchFileSnapshot('../../../../docs/state-machines/payments.md')
  })

  test('a payment that was never requested hears nothing', () => {
    expect(decidePayment(null, succeeded, NOW)).toMatchObject({ refused: 'PAYMENT_NOT_FOUND' })
  })
})

describe('a request', () => {
  test('to a name is resolved first, and is woken at its deadline', () => {
    expect(decidePayment(null, toName, NOW)).toMatchObject({
      state: { phase: 'resolving', name: 'alice@shop.test' },
      effects: [
        { kind: 'resolve', at: NOW },
        { kind: 'wake', at: DEADLINE },
      ],
    })
  })

  test('to an offer is sent at once', () => {
    expect(decidePayment(null, { ...toName, destination: OFFER }, NOW)).toMatchObject({
      state: { phase: 'sending', amountMsat: 21_000n, maxFeeMsat: 10_000n, accepted: false },
      effects: [{ kind: 'pay', at: NOW }, { kind: 'wake' }],
    })
  })

  test('keeps the fee limit that it names', () => {
    expect(requested({ destination: OFFER, maxFeeMsat: 0n })).toMatchObject({ maxFeeMsat: 0n })
  })

  test.each([
    [5n, 6n, 'AMOUNT_MISMATCH'],
    [null, null, 'AMOUNT_REQUIRED'],
    [null, 0n, 'AMOUNT_INVALID'],
    [null, -1n, 'AMOUNT_INVALID'],
    [SUPPLY_MSAT + 1n, null, 'AMOUNT_INVALID'],
  ])('that asks %s for %s is refused', (asksMsat, requestedMsat, code) => {
    expect(amountToPay(asksMsat, requestedMsat)).toMatchObject({ refused: code })
    const { amountMsat: _amount, ...rest } = toName
    const request = { ...rest, destination: { ...OFFER, asksMsat } }
    const asked = requestedMsat === null ? request : { ...request, amountMsat: requestedMsat }
    expect(decidePayment(null, asked, NOW)).toMatchObject({ refused: code })
  })

  test('pays what both say', () => {
    expect([amountToPay(5n, 5n), amountToPay(5n, null), amountToPay(null, 5n)]).toEqual([5n, 5n, 5n])
    expect(amountToPay(SUPPLY_MSAT, null)).toBe(SUPPLY_MSAT)
  })
})

test.each([
  [1n, 10_000n],
  [1_000_000n, 10_000n],
  [1_000_001n, 10_001n],
  [50_000_000n, 500_000n],
])('of %s msat routing may cost %s by default', (amount, fee) => {
  expect(defaultMaxFee(amount)).toBe(fee)
})

test.each([
  ['0', 0n],
  ['1000', 1000n],
  [`${SUPPLY_MSAT}`, SUPPLY_MSAT],
])('the fee limit %s is read', (text, fee) => expect(parseMaxFee(text)).toBe(fee))

test.each(['', '-1', '1.5', '1e3', ' 1', `${SUPPLY_MSAT + 1n}`, '9'.repeat(30)])(
  'the fee limit %j is refused',
  (text) => expect(parseMaxFee(text)).toMatchObject({ refused: 'FEE_LIMIT_INVALID' }),
)

describe('after the deadline', () => {
  const after = DEADLINE + 1
  const surely = DEADLINE + NEVER_SENT_GRACE_MS

  test('nothing is paid that was only resolved then, and what did not resolve has failed', () => {
    const late = hearPayment(reach('resolving'), { kind: 'resolved', payable: OFFER }, after)
    expect(late).toMatchObject({ state: { phase: 'failed', cause: 'PAYMENT_EXPIRED' }, effects: [] })
    expect(hearPayment(reach('resolving'), { kind: 'time-passed' }, after).state).toMatchObject({
      cause: 'PAYMENT_EXPIRED',
    })
    const tried = { kind: 'resolve-failed', attempt: 0, code: 'DNS_UNAVAILABLE', again: true } as const
    expect(hearPayment(reach('resolving'), tried, after).state).toMatchObject({ cause: 'DNS_UNAVAILABLE' })
    const { state } = hearPayment(reach('resolving'), tried, NOW)
    expect(hearPayment(state, { kind: 'time-passed' }, after).state).toMatchObject({
      cause: 'DNS_UNAVAILABLE',
    })
  })

  test('a node that cannot be reached makes it unknown, never failed', () => {
    for (const effect of ['pay', 'look-up'] as const) {
      const { state, effects } = hearPayment(reach('sending'), unreachable(effect), after)
      expect(state.phase).toBe('unknown')
      expect(effects).toMatchObject([{ kind: 'look-up' }])
    }
  })

  test('a node that never heard of it is not asked to pay; when it was surely never sent, it failed', () => {
    const soon = hearPayment(reach('sending'), said({ state: 'absent' }), after)
    expect(soon).toMatchObject({ state: { phase: 'unknown' }, effects: [{ kind: 'look-up', at: surely }] })
    const end = hearPayment(soon.state, said({ state: 'absent' }, 1), surely)
    expect(end.state).toMatchObject({ phase: 'failed', cause: 'PAYMENT_NOT_SENT' })
  })

  test('a node that knew it once and forgot it leaves it unknown', () => {
    const pending = hearPayment(reach('sending'), said({ state: 'pending', paymentHash: HASH }), NOW).state
    const forgot = hearPayment(pending, said({ state: 'absent' }, 1), surely + 1)
    expect(forgot.state).toMatchObject({ phase: 'unknown', accepted: true, paymentHash: HASH })
  })

  test('what is in flight goes on until the node knows its end', () => {
    const pending = hearPayment(reach('sending'), said({ state: 'pending', paymentHash: null }), after)
    expect(pending.state.phase).toBe('sending')
    expect(hearPayment(pending.state, { kind: 'time-passed' }, after).effects).toMatchObject([
      { kind: 'look-up' },
    ])
  })
})

describe('a try that the node has given up for good', () => {
  const spare = ['22'.repeat(32), '33'.repeat(32)]
  const sending = () => requested({ destination: OFFER, spareNodePaymentIds: spare })
  const gaveUp = (reason: NodeFailureReason, attempt = 0) =>
    said({ state: 'failed', paymentHash: null, reason }, attempt)

  test('is followed by another one under the next id, a while later', () => {
    const second = hearPayment(sending(), gaveUp('no-route'), NOW)
    expect(second).toMatchObject({
      state: { phase: 'sending', nodePaymentId: spare[0], tries: 2, accepted: false, maybeSent: false },
      effects: [{ kind: 'pay', attempt: 1, at: NOW + 1_000 }],
    })
    const third = hearPayment(second.state, gaveUp('invoice-request-unanswered', 1), NOW)
    expect(third).toMatchObject({
      state: { nodePaymentId: spare[1], tries: 3 },
      effects: [{ kind: 'pay', attempt: 2, at: NOW + 4_000 }],
    })
    expect(hearPayment(third.state, gaveUp('no-route', 2), NOW)).toMatchObject({
      state: { phase: 'failed', cause: 'PAYMENT_NO_ROUTE', nodePaymentId: spare[1] },
      effects: [],
    })
  })

  test.each<[NodeFailureReason, string]>([
    ['no-route', 'sending'],
    ['retries-exhausted', 'sending'],
    ['invoice-request-unanswered', 'sending'],
    ['abandoned', 'sending'],
    ['rejected', 'failed'],
    ['invoice-request-rejected', 'failed'],
    ['expired', 'failed'],
    ['insufficient-funds', 'failed'],
    ['other', 'failed'],
  ])('because of %s: %s', (reason, phase) => {
    expect(hearPayment(sending(), gaveUp(reason), NOW).state.phase).toBe(phase)
  })

  test('is the last when the next could not begin before the deadline, or when it was to be the only one', () => {
    expect(hearPayment(sending(), gaveUp('no-route'), DEADLINE - 1_000).state.phase).toBe('failed')
    expect(hearPayment(sending(), gaveUp('no-route'), DEADLINE - 1_001).state.phase).toBe('sending')
    expect(hearPayment(requested({ destination: OFFER }), gaveUp('no-route'), NOW).state.phase).toBe('failed')
  })

  test.each([
    ['its failure, heard once more', gaveUp('rejected')],
    ['a success that was reported of it', succeeded],
    ['that it was pending', said({ state: 'pending', paymentHash: HASH })],
    ['that it was absent', said({ state: 'absent' })],
    ['that it was refused', { kind: 'pay-refused', attempt: 0, code: 'NODE_CANNOT' } as const],
    ['that the node could not be reached', unreachable('pay')],
  ])('counts no more: %s', (_, report) => {
    const second = hearPayment(sending(), gaveUp('no-route'), NOW).state
    expect(hearPayment(second, report, NOW)).toEqual({ state: second, effects: [] })
    const end = hearPayment(second, gaveUp('rejected', 1), NOW).state
    expect(hearPayment(end, report, NOW)).toEqual({ state: end, effects: [] })
  })

  test.each([
    ['unknown', said({ state: 'unknown' })],
    ['not known to the node', said({ state: 'absent' })],
    ['pending', said({ state: 'pending', paymentHash: null })],
    ['perhaps sent', unreachable('pay')],
  ])('is never one that is %s', (_, report) => {
    const { state } = hearPayment(sending(), report, NOW)
    expect(state).toMatchObject({ nodePaymentId: toName.nodePaymentId, tries: 1 })
  })

  test('leaves time for the next: a silent payee of an offer is not waited for until the deadline', () => {
    const offer = sending() as Extract<PaymentState, { phase: 'sending' }>
    expect(tryTimeoutMs(offer, NOW)).toBe(20_000)
    expect(tryTimeoutMs(offer, DEADLINE - 5)).toBe(5)
    expect(tryTimeoutMs({ ...offer, spareNodePaymentIds: [], tries: 3 }, NOW)).toBe(60_000)
    const invoice: Payable = { kind: 'bolt11', invoice: 'lnbcrt1', asksMsat: null }
    expect(tryTimeoutMs({ ...offer, payable: invoice }, NOW)).toBe(60_000)
    expect(tryTimeoutMs(offer, DEADLINE + 1)).toBeLessThan(0)
  })
})

describe('a note to the payee', () => {
  const note = 'for the shoes'
  const invoice: Payable = { kind: 'bolt11', invoice: 'lnbcrt1', asksMsat: null }

  test('stays with the payment to its end', () => {
    const sending = requested({ destination: OFFER, note })
    expect(sending).toMatchObject({ phase: 'sending', note })
    expect(hearPayment(sending, succeeded, NOW).state).toMatchObject({ phase: 'succeeded', note })
  })

  test('is refused with an invoice, which cannot carry it', () => {
    const refused = decidePayment(null, { ...toName, destination: invoice, note }, NOW)
    expect(refused).toMatchObject({ refused: 'NOTE_NOT_ACCEPTED' })
    const report = { kind: 'resolved', payable: invoice } as const
    expect(hearPayment(requested({ note }), report, NOW).state).toMatchObject({ cause: 'NOTE_NOT_ACCEPTED' })
  })

  test('was taken already by the Lightning Address that made the invoice', () => {
    const destination = { kind: 'name', name: 'a@shop.test', fallback: 'lightning-address' } as const
    const resolving = requested({ note, destination })
    expect(resolving).toMatchObject({ phase: 'resolving', fallback: 'lightning-address', note })
    const payable = { ...invoice, via: 'lightning-address' } as const
    const { state } = hearPayment(resolving, { kind: 'resolved', payable }, NOW)
    expect(state).toMatchObject({ phase: 'sending', payable: { via: 'lightning-address' }, note })
  })
})

describe('a name that is resolved already', () => {
  const proven = (payable: Payable, expiresAt = NOW + 1) => {
    return { destination: { kind: 'name', name: 'alice@shop.test', proven: { payable, expiresAt } } } as const
  }

  test('is sent at once', () => {
    expect(decidePayment(null, { ...toName, ...proven(OFFER) }, NOW)).toMatchObject({
      state: { phase: 'sending', payable: OFFER, attempt: 0 },
      effects: [
        { kind: 'pay', at: NOW },
        { kind: 'wake', at: DEADLINE },
      ],
    })
  })

  test('is resolved once more when that was too long ago', () => {
    expect(decidePayment(null, { ...toName, ...proven(OFFER, NOW) }, NOW)).toMatchObject({
      state: { phase: 'resolving' },
      effects: [{ kind: 'resolve' }, { kind: 'wake' }],
    })
  })

  test('and asks another price has failed, as if it were resolved now', () => {
    const failed = decidePayment(null, { ...toName, ...proven({ ...OFFER, asksMsat: 5n }) }, NOW)
    expect(failed).toMatchObject({ state: { phase: 'failed', cause: 'AMOUNT_MISMATCH' }, effects: [] })
    const later = hearPayment(
      requested(),
      { kind: 'resolved', payable: { ...OFFER, asksMsat: 5n } },
      NOW,
    ).state
    expect('state' in failed && failed.state).toEqual(later)
  })
})

test('a refusal of the node is not believed when an earlier attempt went unanswered', () => {
  const unanswered = hearPayment(reach('sending'), unreachable('pay'), NOW).state
  const refused = hearPayment(unanswered, { kind: 'pay-refused', attempt: 1, code: 'PAYMENT_FAILED' }, NOW)
  expect(refused).toMatchObject({ state: { phase: 'unknown' }, effects: [{ kind: 'look-up' }] })
})

test('a success that comes after a failure before anything was sent changes nothing', () => {
  const unresolved = hearPayment(
    reach('resolving'),
    { kind: 'resolve-failed', attempt: 0, code: 'RESOLVE_BOGUS', again: false },
    NOW,
  ).state
  expect(hearPayment(unresolved, succeeded, NOW)).toEqual({ state: unresolved, effects: [] })
})

test('every reason of a node has its own code or is plainly a failure', () => {
  const reasons = [
    'rejected',
    'no-route',
    'retries-exhausted',
    'expired',
    'invoice-request-unanswered',
    'invoice-request-rejected',
    'insufficient-funds',
    'abandoned',
    'other',
  ] as const
  expect(reasons.map(causeOf)).toEqual([
    'PAYMENT_REJECTED',
    'PAYMENT_NO_ROUTE',
    'PAYMENT_RETRIES_EXHAUSTED',
    'PAYMENT_EXPIRED',
    'PAYMENT_UNANSWERED',
    'PAYMENT_REJECTED',
    'PAYMENT_INSUFFICIENT_FUNDS',
    'PAYMENT_ABANDONED',
    'PAYMENT_FAILED',
  ])
})

test('replaying its commands gives the payment again', () => {
  const history = [toName, { kind: 'resolved', payable: OFFER } as const, failed, succeeded]
  const state = replayPayment(history.map((command) => ({ command, at: NOW })))
  expect(state).toEqual(hearPayment(reach('failed'), succeeded, NOW).state)
  expect(replayPayment([{ command: succeeded, at: NOW }])).toBeNull()
  expect([retryDelayMs(0), retryDelayMs(99)]).toEqual([50, 30_000])
})
