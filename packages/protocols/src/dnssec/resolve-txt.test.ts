import { describe, expect, test } from 'vitest'
import { resolveTxt } from './resolve-txt.ts'
import { NOW } from './testing/signed-world.ts'
import { CASES, NAME, type ValidationCase } from './testing/validation-cases.ts'

const summary = async ({ world, name = NAME, nowSeconds = NOW }: ValidationCase) => {
  const result = await resolveTxt(name, { query: world.query, anchors: world.anchors, nowSeconds })
  switch (result.status) {
    case 'secure':
      return `secure ${result.values.map((value) => new TextDecoder().decode(value)).join(' | ')}`
    case 'bogus':
      return `bogus ${result.code}`
    default:
      return result.status
  }
}

describe('crafted zones', () => {
  test.each(CASES.map((one) => [one.title, one] as const))('%s', async (_, one) => {
    expect(await summary(one)).toBe(one.expected)
  })
})
