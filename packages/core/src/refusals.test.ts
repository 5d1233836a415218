/// <reference types="vite/types/importMeta.d.ts" />
import { describe, expect, test } from 'vitest'
import type { Catalogue } from './refusals/catalogue.ts'
import { isRefusal, REFUSALS, type RefusalCode, refuse } from './refusals.ts'

describe.each(Object.entries(REFUSALS))('%s', (code, { status, title, hint }) => {
  test('has a stable code, a fitting status, and says what is wrong and what to do', () => {
    expect(code).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(600)
    expect(title).toMatch(/^[A-Z].*\.$/)
    expect(hint).toMatch(/^[A-Z0-9].*\.$/)
  })
})

test('a refusal is a value that is told from others', () => {
  const refusal = refuse('NAME_TAKEN', { name: 'alice' })
  expect(refusal).toEqual({ refused: 'NAME_TAKEN' satisfies RefusalCode, data: { name: 'alice' } })
  expect(refuse('INTERNAL').data).toEqual({})
  expect([refusal, null, undefined, 'refused', 5n, {}, []].map(isRefusal)).toEqual([
    true,
    false,
    false,
    false,
    false,
    false,
    false,
  ])
})

test('no code stands in two areas', () => {
  const areas = import.meta.glob<Record<string, Catalogue>>('./refusals/*.ts', { eager: true })
  const codes = Object.values(areas).flatMap((area) => Object.values(area).flatMap(Object.keys))
  expect(codes.sort()).toEqual(Object.keys(REFUSALS).sort())
})
