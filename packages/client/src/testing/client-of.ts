import { createHoldfastClient, secretKeySigner } from '../index.ts'
import { type Answer, BASE_URL, manualClock, NOW, scriptServer } from './scripted-server.ts'

export const signer = secretKeySigner(new Uint8Array(32).fill(1))
/** What the server answers to `POST /v1/sessions`. */
export const sessionOf = (token: string, expiresAt = NOW + 3_600_000): Answer => ({
  json: { token, expiresAt, owner: signer.pubkey },
})
export const SESSION = sessionOf('token-1')
export const JOB = {
  id: 'job-1',
  kind: 'name.register',
  name: 'alice@shop.test',
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
  createdAt: NOW,
}
export const NAME = {
  name: 'alice@shop.test',
  state: 'active',
  owner: signer.pubkey,
  jobId: 'job',
  createdAt: NOW,
  offer: 'lno1x',
  uri: 'bitcoin:?lno=lno1x',
  unhealthy: { reason: 'not-found', title: 'No record.', hint: 'Wait.', since: 7 },
}

/** A client of a scripted server that opens a session for it. */
export function clientOf(
  answers: Record<string, Answer[]>,
  {
    anonymous = false,
    signsEach = false,
    baseUrl = BASE_URL,
  }: { anonymous?: boolean; signsEach?: boolean; baseUrl?: string } = {},
) {
  const { fetch, seen } = scriptServer({ 'POST /v1/sessions': [SESSION], ...answers })
  const clock = manualClock()
  const client = createHoldfastClient({ baseUrl, fetch, clock, signsEach, ...(!anonymous && { signer }) })
  return { client, seen, clock }
}
