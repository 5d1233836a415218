import type { NodeOutcome, PaymentReport, PaymentState } from '@holdfast/core/payments/payment-states'
import { expect, test } from 'vitest'
import { saysSomethingNew } from './says-something-new.ts'

const HASH = 'ab'.repeat(32)
const state = (phase: 'sending' | 'unknown', accepted: boolean, paymentHash: string | null = HASH) =>
  ({ phase, accepted, paymentHash, maybeSent: accepted }) as PaymentState
const said = (outcome: NodeOutcome): PaymentReport => ({ kind: 'outcome', attempt: 0, outcome })
const unreachable: PaymentReport = {
  kind: 'node-unreachable',
  attempt: 0,
  effect: 'look-up',
  code: 'NODE_OFFLINE',
}

test.each<[boolean, string, PaymentState, PaymentReport]>([
  [true, 'pending, the first time', state('sending', false), said({ state: 'pending', paymentHash: null })],
  [false, 'pending again', state('sending', true), said({ state: 'pending', paymentHash: HASH })],
  [false, 'pending, without the hash', state('sending', true), said({ state: 'pending', paymentHash: null })],
  [
    true,
    'pending, now with its hash',
    state('sending', true, null),
    said({ state: 'pending', paymentHash: HASH }),
  ],
  [true, 'pending, after unknown', state('unknown', true), said({ state: 'pending', paymentHash: HASH })],
  [true, 'unknown, while sending', state('sending', true), said({ state: 'unknown' })],
  [false, 'unknown again', state('unknown', true), said({ state: 'unknown' })],
  [true, 'absent, while sending', state('sending', true), said({ state: 'absent' })],
  [true, 'absent, perhaps never sent', state('unknown', false), said({ state: 'absent' })],
  [false, 'absent again', state('unknown', true), said({ state: 'absent' })],
  [true, 'unreachable, while sending', state('sending', true), unreachable],
  [false, 'unreachable again', state('unknown', false), unreachable],
  [true, 'failed', state('unknown', true), said({ state: 'failed', paymentHash: null, reason: 'no-route' })],
  [
    true,
    'succeeded',
    state('unknown', true),
    said({ state: 'succeeded', paymentHash: HASH, amountMsat: 1n, feeMsat: 0n }),
  ],
  [true, 'time passed', state('sending', true), { kind: 'time-passed' }],
])('%s: %s', (isNew, _what, before, report) => {
  expect(saysSomethingNew(before, report)).toBe(isNew)
})
