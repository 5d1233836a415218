import { describe, expect, test } from 'vitest'
import { TYPE } from './dns/codes.ts'
import { NOW, shopWorld, text, type World } from './dnssec/testing/signed-world.ts'
import { CASES, withShop } from './dnssec/testing/validation-cases.ts'
import { hexToBytes } from './hex.ts'
import { buildNameProof, verifyNameProof } from './name-proof.ts'
import { decodePsbtProof } from './psbt-proof.ts'
import { BIP353_PROOFS } from './rfc9102/testing/bip353-proofs.ts'

const NAME = '₿Alice@Shop.TEST'
const withTxt = (...values: string[]) =>
  shopWorld({
    data: (add) => add('alice.user._bitcoin-payment', TYPE.TXT, ...values.map((value) => text(value))),
  })

/** From the DNS and from the proof: both must say the same. */
async function judge({ query, anchors }: World) {
  const { verdict, proof, window } = await buildNameProof(NAME, { query, anchors, nowSeconds: NOW })
  if (proof) {
    expect(await verifyNameProof(NAME, proof, { anchors, nowSeconds: NOW })).toEqual({ verdict, window })
  }
  return verdict
}

test('a name with one instruction', async () => {
  expect(await judge(withTxt('bitcoin:?lno=lno1alice', 'v=spf1 -all'))).toMatchObject({
    valid: true,
    name: { text: 'alice@shop.test', display: '₿alice@shop.test' },
    uri: 'bitcoin:?lno=lno1alice',
    instruction: { offers: ['lno1alice'] },
    ttlSeconds: 120,
    expiresAt: NOW + 120,
  })
})

describe('a name without one', () => {
  test.each([
    ['no-such-name', shopWorld({})],
    ['no-instruction', withTxt('v=spf1 -all')],
    [
      'no-instruction',
      shopWorld({ data: (add) => add('alice.user._bitcoin-payment', 1, Uint8Array.of(1, 2, 3, 4)) }),
    ],
    ['ambiguous', withTxt('bitcoin:?lno=a', 'BITCOIN:?lno=b')],
    ['uri-invalid', withTxt('bitcoin:?req-new=1')],
    ['insecure', CASES.find(({ title }) => title === 'an insecure delegation, by NSEC')!.world],
    ['signature-expired', withShop({ expiration: NOW - 1 })],
    ['unavailable', { ...withShop({}), query: () => Promise.reject(new Error('ECONNREFUSED')) }],
  ])('%s', async (code, world) => {
    expect(await judge(world)).toMatchObject({ valid: false, code, name: { text: 'alice@shop.test' } })
  })

  test('the printed proof with two instructions', async () => {
    const { name, proof } = decodePsbtProof(hexToBytes(BIP353_PROOFS.twoInstructions))
    const { verdict, window } = await verifyNameProof(name, proof, { nowSeconds: 1_754_590_000 })
    expect(verdict).toMatchObject({ valid: false, code: 'ambiguous' })
    expect(window).not.toBeNull()
  })
})

test('what is no name is the caller’s mistake', async () => {
  await expect(verifyNameProof('alice', new Uint8Array(), { nowSeconds: NOW })).rejects.toThrow('user@domain')
})
