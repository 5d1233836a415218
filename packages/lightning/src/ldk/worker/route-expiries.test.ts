import { describe, expect, test } from 'vitest'
import { freeDelta } from './route-expiries.ts'

describe('the delta of a route whose HTLC shall expire at a block of its own', () => {
  test.each([
    ['stays when it is free', 200, 144, 300, [], 200],
    ['stays beside others', 200, 144, 300, [199, 201], 200],
    ['grows past those that are taken', 200, 144, 300, [200, 201, 203], 202],
    ['reaches the cap, and not more', 200, 144, 201, [200], 201],
    ['shrinks when there is no room above', 200, 144, 200, [200, 199], 198],
    ['is never less than the recipient asks for', 145, 144, 145, [145, 144], null],
    ['comes down to the cap', 200, 144, 199, [], 199],
  ])('%s', (_, wanted, least, most, taken, delta) => {
    expect(freeDelta(wanted, least, most, new Set(taken))).toBe(delta)
  })
})
