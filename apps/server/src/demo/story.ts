import type { HoldfastClient, Job } from '@holdfast/client'
import { DemoError } from './demo-error.ts'
import type { DeviceView } from './devices.ts'

/** Somebody in a story, with a device and a client that signs as them. */
export type Person = { device: DeviceView; client: HoldfastClient }

export type Cast = {
  merchant: Person
  buyer: Person
  user: string
  domain: string
  amountMsat: bigint
}

export type Tell = (step: string, facts: Record<string, unknown>) => void

export type Ending = {
  name: string
  offer: string
  txt: string
  recordName: string
  paymentHash: string
  preimage: string
  amountMsat: string
  feeMsat: string
  buyerBefore: string
  buyerAfter: string
  merchantBefore: string
  merchantAfter: string
  timings: Record<string, number>
}

/** A merchant registers a name; a buyer who knows only the name pays it; both devices show what became of it. */
export async function playNameStory(cast: Cast, tell: Tell): Promise<Ending> {
  const { merchant, buyer, user, domain, amountMsat } = cast
  const timings: Record<string, number> = {}
  const timed = async <T>(label: string, work: () => Promise<T>): Promise<T> => {
    const began = performance.now()
    const value = await work()
    timings[`${label}Ms`] = Math.round(performance.now() - began)
    return value
  }

  const merchantBefore = await merchant.device.balanceMsat()
  const buyerBefore = await buyer.device.balanceMsat()
  tell('balances-before', { merchantMsat: merchantBefore, buyerMsat: buyerBefore })

  await timed('register', () =>
    registerUnlessOwned(merchant.client, merchant.device.pubkey, user, domain, tell),
  )
  // As it was registered, which need not be as it was asked for: ALICE is alice.
  const { name, offer } = await merchant.client.getName(`${user}@${domain}`)
  tell('name-active', { name: `₿${name}`, ms: timings.registerMs, offer })

  const resolved = await timed('resolve', () => buyer.client.resolve(name))
  tell('name-resolved', {
    uri: resolved.uri,
    validated: 'DNSSEC, from the root anchor down',
    ms: timings.resolveMs,
  })

  const payment = await timed('pay', async () => {
    const started = await buyer.client.pay({ to: `₿${name}`, amountMsat })
    return buyer.client.waitForPayment(started.id)
  })
  if (payment.state !== 'succeeded')
    throw new DemoError(payment.error?.code ?? 'PAYMENT_FAILED', `The payment is ${payment.state}.`)
  tell('paid', { amountMsat: payment.amountMsat, feeMsat: payment.feeMsat, ms: timings.payMs })

  const proof = await buyer.device.proof(payment.nodePaymentId)
  const merchantAfter = await merchant.device.balanceMsat()
  const buyerAfter = await buyer.device.balanceMsat()
  return {
    name,
    offer: resolved.offer ?? '',
    txt: resolved.uri,
    recordName: name.replace('@', '.user._bitcoin-payment.'),
    paymentHash: proof.paymentHash,
    preimage: proof.preimage,
    amountMsat: String(payment.amountMsat),
    feeMsat: String(payment.feeMsat),
    buyerBefore: String(buyerBefore),
    buyerAfter: String(buyerAfter),
    merchantBefore: String(merchantBefore),
    merchantAfter: String(merchantAfter),
    timings,
  }
}

async function registerUnlessOwned(
  client: HoldfastClient,
  owner: string,
  user: string,
  domain: string,
  tell: Tell,
) {
  const present = await client.findName(`${user}@${domain}`)
  if (present?.state === 'active' && present.owner === owner) {
    tell('name-already-registered', { name: `₿${present.name}` })
    return
  }
  const job = await client.registerName({ user, domain })
  tell('name-requested', { jobId: job.id })
  let shown = ''
  const ended = await client.waitForJob(job.id, {
    onProgress: (progress: Job) => {
      const line = `${progress.percent} ${progress.step}`
      if (line !== shown) tell('progress', { percent: progress.percent, step: progress.step })
      shown = line
    },
  })
  if (ended.state !== 'succeeded')
    throw new DemoError(ended.error?.code ?? 'JOB_FAILED', ended.error?.title ?? 'The job failed.')
}
