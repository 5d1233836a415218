import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeBitcoinRpc } from './bitcoin-rpc.ts'
import { FeeRates, FLOOR_SAT_PER_KW } from './fees.ts'

type Answer = { status?: number; body: object }

describe('BitcoinRpc', () => {
  let server: Server
  let url: string
  let asked: { method: string; params: unknown[]; authorization: string | undefined }[] = []
  let answer: (method: string, params: unknown[]) => Answer

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString())
      asked.push({ method, params, authorization: request.headers.authorization })
      const { status, body } = answer(method, params)
      response.writeHead(status ?? 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ id, ...body }))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://us%40er:p%3Aw@127.0.0.1:${(server.address() as { port: number }).port}`
  })
  afterAll(() => {
    server.close()
  })

  const ok = (result: unknown): Answer => ({ body: { result, error: null } })

  test('sends the credentials of the URL, decoded', async () => {
    answer = () => ok('aa')
    asked = []
    expect(await makeBitcoinRpc(url).bestBlockHash()).toBe('aa')
    expect(asked[0]?.authorization).toBe(`Basic ${Buffer.from('us@er:p:w').toString('base64')}`)
  })

  test('says what bitcoind said, with its code; wrong credentials and silence are errors of their own', async () => {
    const rpc = makeBitcoinRpc(url)
    answer = () => ({ status: 500, body: { result: null, error: { code: -25, message: 'missing inputs' } } })
    await expect(rpc.broadcast('00')).rejects.toMatchObject({
      code: -25,
      message: 'sendrawtransaction: missing inputs (-25)',
    })
    answer = () => ({ status: 401, body: {} })
    await expect(rpc.bestBlockHash()).rejects.toThrow('password is wrong')
    await expect(makeBitcoinRpc('http://127.0.0.1:1').bestBlockHash()).rejects.toThrow(
      'does not answer (bad port)',
    )
  })

  test('asks once for a header and a block that many nodes want, and again after a failure', async () => {
    const rpc = makeBitcoinRpc(url)
    answer = (_, params) =>
      params[1] === undefined ? ok({ height: 5, previousblockhash: 'bb' }) : ok('00ff')
    asked = []
    const headers = [await rpc.header('cc'), await rpc.header('cc')]
    expect(headers[0]).toEqual({ hash: 'cc', height: 5, previous: 'bb', raw: Uint8Array.of(0, 255) })
    expect(asked).toHaveLength(2)
    answer = () => ({ body: { result: null, error: { code: -1, message: 'no' } } })
    await expect(rpc.block('dd')).rejects.toThrow()
    answer = () => ok('01')
    expect(await Promise.all([rpc.block('dd'), rpc.block('dd')])).toEqual([
      Uint8Array.of(1),
      Uint8Array.of(1),
    ])
    for (let i = 0; i < 20; i++) await rpc.block(`more ${i}`)
    asked = []
    await rpc.block('dd')
    expect(asked).toHaveLength(1)
  })

  test('fee rates: BTC per kvB becomes sat per kw, never under the floor, also where the chain cannot tell', async () => {
    const rpc = makeBitcoinRpc(url)
    answer = (_, [blocks]) =>
      blocks === 2 ? ok({ feerate: 0.0002 }) : blocks === 6 ? ok({ feerate: 0.00000001 }) : ok({})
    const fees = new FeeRates(rpc, 'regtest')
    await fees.refresh(0)
    const { ConfirmationTarget: Target } = await import('lightningdevkit')
    expect(fees.for(Target.LDKConfirmationTarget_UrgentOnChainSweep)).toBe(5_000)
    expect(fees.for(Target.LDKConfirmationTarget_MaximumFeeEstimate)).toBe(10_000)
    for (const target of [
      Target.LDKConfirmationTarget_NonAnchorChannelFee,
      Target.LDKConfirmationTarget_AnchorChannelFee,
      Target.LDKConfirmationTarget_MinAllowedAnchorChannelRemoteFee,
      Target.LDKConfirmationTarget_MinAllowedNonAnchorChannelRemoteFee,
      Target.LDKConfirmationTarget_ChannelCloseMinimum,
      Target.LDKConfirmationTarget_OutputSpendingFee,
    ])
      expect(fees.for(target)).toBe(FLOOR_SAT_PER_KW)
    asked = []
    await fees.refresh(59_999)
    expect(asked).toEqual([])
    await fees.refresh(60_000)
    expect(asked).toHaveLength(3)
  })
})
