import { setTimeout as sleep } from 'node:timers/promises'
import { bolt11, freshSecret, isTrue, payRequest } from '@holdfast/lightning/contract/contract-world'
import type { LdkNodeOptions } from '@holdfast/lightning/ldk'
import { startLdkHost } from '@holdfast/lightning/ldk'

/**
 * The process that the kill test kills: opens the nodes of a world and pays without pause. It writes a line before it
 * asks for a payment and one when the node accepted it, so that the test knows what was promised.
 */
const { url, nodes } = JSON.parse(process.argv[2] ?? '') as {
  url: string
  nodes: Record<'payer' | 'hub' | 'payee', Omit<LdkNodeOptions, 'seed'> & { seed: string }>
}
/** For what hangs: a busy machine takes its time. */
const USABLE_WITHIN_MS = 120_000
/** The least that is no dust, so that the payer has enough for thousands. */
const HOLD_MSAT = 730_000n
const report = (line: string) => process.stdout.write(`${line}\n`)
const log = {
  info: () => undefined,
  warn: () => undefined,
  error: (message: string, data: object = {}) => report(`error ${message} ${JSON.stringify(data)}`),
}

const host = await startLdkHost({ network: 'regtest', bitcoind: { url }, log })
const open = (name: keyof typeof nodes) =>
  host.openNode({ ...nodes[name], seed: Buffer.from(nodes[name].seed, 'hex') })
const [payer, , payee] = [await open('payer'), await open('hub'), await open('payee')]
const areUsable = async () => {
  const channels = [...(await payer.listChannels()), ...(await payee.listChannels())]
  return channels.length === 2 && channels.every((channel) => channel.usable)
}
const deadline = Date.now() + USABLE_WITHIN_MS
while (!(await areUsable())) {
  if (Date.now() > deadline) throw new Error('The channels are not usable.')
  await sleep(20)
}
report('paying')

const payOnce = async () => {
  const { invoice, paymentHash } = await payee.invoices.create({
    amountMsat: 1_000n,
    description: 'x',
    expirySeconds: 3600,
  })
  const request = payRequest(bolt11(invoice), 1_000n)
  report(`asked ${request.paymentId} ${paymentHash}`)
  await payer.payer.pay(request)
  report(`accepted ${request.paymentId} ${paymentHash}`)
}
const holdOnce = async () => {
  const { preimage, paymentHash } = freshSecret()
  const { invoice } = await payee.holdInvoices.create({
    ...{
      paymentHash,
      amountMsat: HOLD_MSAT,
      description: 'x',
      expirySeconds: 3600,
      minFinalCltvExpiryDelta: 144,
    },
  })
  const request = payRequest(bolt11(invoice), HOLD_MSAT)
  report(`hold ${request.paymentId} ${paymentHash} ${preimage}`)
  await payer.payer.pay(request)
  await isTrue('it is held', async () => (await payee.holdInvoices.lookup(paymentHash))?.state === 'held')
  report(`settling ${request.paymentId} ${paymentHash} ${preimage}`)
  await payee.holdInvoices.settle(paymentHash, preimage)
  report(`settled ${request.paymentId} ${paymentHash} ${preimage}`)
}
const onAndOn = async (once: () => Promise<void>) => {
  for (;;) await once()
}
await Promise.all([onAndOn(payOnce), onAndOn(payOnce), onAndOn(holdOnce), onAndOn(holdOnce)])
