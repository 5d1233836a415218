import { signAuthorization } from '@holdfast/client/signer'
import { decodeInvoice } from '@holdfast/protocols/bolt11'
import {
  checkPayInvoice,
  makePayCallback,
  type PayOrder,
  readPayCallback,
} from '@holdfast/protocols/lnurl/pay-callback'
import { readPayRequest } from '@holdfast/protocols/lnurl/pay-request'
import { readVerifyAnswer } from '@holdfast/protocols/lnurl/pay-verify'
import { scanQrSvg } from '@holdfast/protocols/testing/scan-qr-svg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DevnetUser, openUsers } from './support/devnet-user.ts'
import { ServerProcess } from './support/server-process.ts'

const NAME = 'alice@shop.test'
const WITHIN_MS = 120_000

describe('one name everywhere', () => {
  const server = new ServerProcess()
  let url: string
  let alice: DevnetUser
  let bob: DevnetUser

  beforeAll(async () => {
    url = (await server.start()).url
    const users = await openUsers(server.dataDir, url)
    const [first, second] = [users.get('alice'), users.get('bob')]
    if (!first || !second) throw new Error('The devnet has alice and bob.')
    alice = first
    bob = second
    const job = await alice.client.registerName({ user: 'alice', domain: 'shop.test' })
    expect(await alice.client.waitForJob(job.id)).toMatchObject({ state: 'succeeded' })
  }, WITHIN_MS)
  afterAll(() => server.remove())

  const get = async (path: string) => fetch(new URL(path, url))
  const json = async (address: string) => (await fetch(address)).json()

  /** Pays from bob's node, and says what arrived at alice's. */
  async function pay(to: string, amountMsat?: bigint) {
    const before = await alice.device.balanceMsat()
    const started = await bob.client.pay({ to, ...(amountMsat !== undefined && { amountMsat }) })
    const payment = await bob.client.waitForPayment(started.id)
    expect(payment).toMatchObject({ state: 'succeeded' })
    return { payment, arrivedMsat: (await alice.device.balanceMsat()) - before }
  }

  /** A wallet that knows Lightning Addresses, with every check that LUD-06 asks of it. */
  async function payLightningAddress(order: PayOrder) {
    const address = new URL('/.well-known/lnurlp/alice', url).href
    const request = readPayRequest(await json(address), { allowHttp: true })
    expect(request.identifier).toBe(NAME)
    const callback = makePayCallback(request, order)
    const { invoice, verify } = readPayCallback(await json(callback.url))
    checkPayInvoice(decodeInvoice(invoice), callback)
    const settled = async () => readVerifyAnswer(await json(verify ?? ''))
    expect(await settled()).toEqual({ settled: false, preimage: null, pr: invoice })
    const paid = await pay(invoice)
    expect(await settled()).toEqual({ settled: true, preimage: null, pr: invoice })
    return { invoice, ...paid }
  }

  test(
    'bob pays alice by her Lightning Address; she reads what he wrote, and has the money',
    async () => {
      const order = { amountMsat: 123_000n, comment: 'for the carrots', payerData: { name: 'Bob' } }
      const { invoice, payment, arrivedMsat } = await payLightningAddress(order)
      expect(arrivedMsat).toBe(123_000n)
      const proof = await bob.device.proof(payment.nodePaymentId)
      expect(proof.paymentHash).toBe(decodeInvoice(invoice).paymentHash)

      const list = new URL('/v1/address-invoices?owner=me&state=paid', url).href
      const asked = { url: list, method: 'GET', body: null }
      const authorization = await signAuthorization(alice.device.signer, asked, Date.now())
      const answer = await fetch(list, { headers: { authorization } })
      const { invoices } = (await answer.json()) as { invoices: unknown }
      expect(invoices).toMatchObject([
        {
          name: NAME,
          state: 'paid',
          receivedMsat: '123000',
          comment: 'for the carrots',
          payer: { name: 'Bob' },
        },
      ])
    },
    WITHIN_MS,
  )

  test(
    'bob pays what alice’s QR code says',
    async () => {
      const response = await get(`/v1/names/${NAME}/qr.svg?amountMsat=21000`)
      expect(response.headers.get('content-type')).toBe('image/svg+xml')
      const text = scanQrSvg(await response.text())
      expect(text).toMatch(/^BITCOIN:\?AMOUNT=0\.00000021&LNO=LNO1[A-Z0-9]+$/)
      expect((await pay(text)).arrivedMsat).toBe(21_000n)
      const open = scanQrSvg(await (await get(`/v1/names/${NAME}/qr.svg`)).text())
      expect((await pay(open, 5_000n)).arrivedMsat).toBe(5_000n)
    },
    WITHIN_MS,
  )

  test('in Nostr the name is alice', async () => {
    const answer = await get('/.well-known/nostr.json?name=alice')
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(await answer.json()).toEqual({ names: { alice: alice.device.pubkey }, relays: {} })
  })
})
