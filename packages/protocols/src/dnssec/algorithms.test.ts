import { expect, test } from 'vitest'
import { verifySignature } from './algorithms.ts'
import { resolveTxt } from './resolve-txt.ts'
import { NOW } from './testing/signed-world.ts'
import { NAME, withShop } from './testing/validation-cases.ts'
import { verifySignatureContract } from './testing/verify-signature.contract.ts'

verifySignatureContract('the pure one', verifySignature)

test('the validator asks the verifier that it is given', async () => {
  const { query, anchors } = withShop({})
  const asked: number[] = []
  const resolve = (verdict: 'right' | 'wrong') =>
    resolveTxt(NAME, {
      query,
      anchors,
      nowSeconds: NOW,
      verifySignature: (algorithm) => {
        asked.push(algorithm)
        return verdict
      },
    })
  expect(await resolve('right')).toMatchObject({ status: 'secure' })
  expect(asked).toEqual([13, 13, 13, 13, 13, 13])
  expect(await resolve('wrong')).toMatchObject({ status: 'bogus', code: 'signature-wrong' })
})
