import { createHoldfastClient, secretKeySigner } from '../index.ts'
import { type Answer, BASE_URL, manualClock, NOW, scriptServer } from './scripted-server.ts'

export const signer = secretKeySigner(new Uint8Array(32).fill(1))
export const SESSION: Answer = { json: { token: 'token-1', expiresAt: NOW + 3_600_000 } }
export const JOB = {
  id: 'job-1',
  kind: 'register-name',
  state: 'running',
  percent: 20,
  step: 'make-offer',
  stepsDone: [{ step: 'name-claimed', at: NOW }],
}
export const PAYMENT = {
  id: 'pay-1',
  nodePaymentId: 'ab',
  to: '₿alice@shop.test',
  state: 'sending',
  amountMsat: '21000',
}
export const NAME = {
  name: 'alice@shop.test',
  state: 'active',
  owner: signer.pubkey,
  jobId: 'job',
  offer: 'lno1x',
  uri: 'bitcoin:?lno=lno1x',
  unhealthy: { reason: 'not-found', title: 'No record.', hint: 'Wait.', since: 7 },
}

/** A client of a scripted server that opens a session for it. */
export function clientOf(
  answers: Record<string, Answer[]>,
  { anonymous = false, baseUrl = BASE_URL }: { anonymous?: boolean; baseUrl?: string } = {},
) {
  const { fetch, seen } = scriptServer({ 'POST /v1/sessions': [SESSION], ...answers })
  const clock = manualClock()
  const client = createHoldfastClient({ baseUrl, fetch, clock, ...(!anonymous && { signer }) })
  return { client, seen, clock }
}
