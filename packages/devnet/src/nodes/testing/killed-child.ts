import { bolt11, isTrue, payRequest } from '@holdfast/lightning/contract/contract-world'
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
const report = (line: string) => process.stdout.write(`${line}\n`)
const log = {
  info: () => undefined,
  warn: () => undefined,
  error: (message: string) => report(`error ${message}`),
}

const host = await startLdkHost({ network: 'regtest', bitcoind: { url }, log })
const open = (name: keyof typeof nodes) =>
  host.openNode({ ...nodes[name], seed: Buffer.from(nodes[name].seed, 'hex') })
const [payer, , payee] = [await open('payer'), await open('hub'), await open('payee')]
report('open')
await isTrue('the channels are usable', async () => {
  const channels = [...(await payer.listChannels()), ...(await payee.listChannels())]
  return channels.length === 2 && channels.every((channel) => channel.usable)
})

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
const payOnAndOn = async () => {
  for (;;) await payOnce()
}
await Promise.all([payOnAndOn(), payOnAndOn(), payOnAndOn()])
