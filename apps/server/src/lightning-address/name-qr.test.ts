import { parseBitcoinUri } from '@holdfast/protocols/bip321'
import { decodeLnurl } from '@holdfast/protocols/lnurl/lnurl'
import { scanQrSvg } from '@holdfast/protocols/testing/scan-qr-svg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { withDatabase } from '../platform/testing/with-database.ts'
import { type AddressWorld, OFFER, startAddressWorld } from './testing/address-world.ts'

const database = withDatabase()
let world: AddressWorld
beforeAll(async () => {
  world = await startAddressWorld(database)
})
afterAll(() => world.stop())

const get = (query = '', name = 'alice@shop.test') => world.app.inject(`/v1/names/${name}/qr.svg${query}`)

test('a name is a picture whose text is a URI with its offer, in capitals', async () => {
  const response = await get()
  expect(response.headers).toMatchObject({
    'content-type': 'image/svg+xml',
    'cache-control': 'public, max-age=60',
    'content-security-policy': "default-src 'none'",
  })
  expect(response.body).toContain('<title>Pay ₿alice@shop.test</title>')
  const text = scanQrSvg(response.body)
  expect(text).toBe(`BITCOIN:?LNO=${OFFER.toUpperCase()}`)
  expect(parseBitcoinUri(text).offers.map((offer) => offer.toLowerCase())).toEqual([OFFER])
})

test.each(['₿alice@shop.test', 'Alice@SHOP.test'])('%s is the same name', async (name) => {
  expect((await get('', encodeURIComponent(name))).body).toBe((await get()).body)
})

test('it may ask for an amount', async () => {
  const text = scanQrSvg((await get('?amountMsat=21000')).body)
  expect(parseBitcoinUri(text).amountMsat).toBe(21_000n)
})

test('for wallets that know no offers it is an LNURL', async () => {
  const text = scanQrSvg((await get('?as=lnurl')).body)
  expect(text).toMatch(/^LNURL1[0-9A-Z]+$/)
  expect(decodeLnurl(text)).toBe('https://shop.test/.well-known/lnurlp/alice')
})

test.each([
  ['', 'bob@shop.test', 'NAME_NOT_FOUND'],
  ['', 'alice', 'NAME_NOT_FOUND'],
  ['?amountMsat=0', 'alice@shop.test', 'AMOUNT_INVALID'],
  ['?as=lnurl&amountMsat=1', 'alice@shop.test', 'REQUEST_INVALID'],
  ['?as=picture', 'alice@shop.test', 'REQUEST_INVALID'],
])('%s of %s is the problem %s', async (query, name, code) => {
  expect((await get(query, name)).json()).toMatchObject({ code })
})

test('the API page says that it is an image', async () => {
  const { paths } = (await world.app.inject('/openapi.json')).json()
  expect(paths['/v1/names/{name}/qr.svg'].get.responses['200'].content).toHaveProperty(['image/svg+xml'])
})
