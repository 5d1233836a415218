import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { PlayedEscrow } from './escrow/play-escrows.ts'
import type { RunningServer } from './running-server.ts'
import { type Ending, jsonTeller, terminalTeller } from './teller.ts'

const HASH = 'ab'.repeat(32)

const escrow = (preimage: string | null): PlayedEscrow => ({
  taskId: '3f0c',
  end: {
    outcome: preimage === null ? 'refunded' : 'released',
    custody: 'hash-locked',
    fundingHash: HASH,
    payoutHash: HASH,
    preimage,
    heldMsat: '10101000',
    paidMsat: preimage === null ? '0' : '10000000',
    feeMsat: preimage === null ? '0' : '101000',
    journalHead: HASH,
  },
})

const ending: Ending = {
  name: 'alice@shop.test',
  offer: `lno1${'q'.repeat(100)}`,
  txt: 'bitcoin:?lno=lno1',
  recordName: 'alice.user._bitcoin-payment.shop.test',
  paymentHash: HASH,
  preimage: HASH,
  amountMsat: '21000000',
  feeMsat: '22000',
  buyerBefore: '1',
  buyerAfter: '1',
  merchantBefore: '1',
  merchantAfter: '1',
  timings: { payMs: 1 },
  escrows: [escrow(HASH), escrow(null)],
}

const server = (isOurs: boolean): RunningServer => ({
  url: 'http://127.0.0.1:1',
  dns: { host: '127.0.0.1', port: 5354, anchorFile: '/anchor' },
  dataDir: '/data',
  devnetFolder: '/data/devnet',
  isOurs,
  stop: async () => undefined,
})

function tellAll(columns: number, colours = false, isOurs = false): string {
  const lines: string[] = []
  const print = (line: string) => lines.push(line)
  const teller = terminalTeller(print, print, { columns, colours })
  teller.tell('escrow-story', { number: 1, of: 4, title: 'an order is delivered and paid' })
  teller.tell('escrow-invoice', { milestone: 0, of: 1, amountMsat: 10_000_000n, payoutHash: HASH, ms: 12 })
  teller.tell('escrow-refunded', { milestone: 1, of: 2, refundedMsat: 4_041_000n, ms: 12 })
  teller.tell('escrow-leaked', { simulated: true })
  teller.tell('a step for programs', {})
  teller.end(ending, server(isOurs))
  return lines.join('\n')
}

describe('to a person', () => {
  test('an escrow is told with its times and its proof', () => {
    const text = tellAll(100)
    for (const line of [
      /\n {2}Escrow 1 of 4: an order is delivered and paid\n/,
      /· Carol’s wallet makes an invoice for her pay, 10 000 sat\./,
      /✓ Carol gives milestone 2 back: .* 4 041 sat .*\n.*\(12 ms\)|✓ Carol gives milestone 2 back: .*\(12 ms\)/,
      /! SIMULATED: /,
      new RegExp(`Lock {7}${HASH} \\(hash-locked\\)`),
      /10 101 sat held: 10 000 sat to Carol, 101 sat fee, 0 sat back to Dave/,
      /Preimage {3}none: the money went back/,
      /npx holdfast audit verify 3f0c --data \/data/,
    ])
      expect(text).toMatch(line)
    expect(text).not.toContain('\u00a0')
  })

  test('the end of a server of the demo’s own is announced', () => {
    expect(tellAll(100)).not.toContain('The server ends now')
    expect(tellAll(100, false, true)).toContain('The server ends now')
  })

  test.each([40, 80, 200])('in %i columns only what is to be copied is longer than a line', (columns) => {
    const long = tellAll(columns)
      .split('\n')
      .filter((line) => line.length > columns)
    for (const line of long) expect(line).toMatch(/[0-9a-f]{64}|dig @|delv @|lno1|npx holdfast/)
  })

  test('colours change nothing but the colours', () => {
    expect(tellAll(60)).not.toContain('\x1b')
    const painted = tellAll(60, true)
    expect(painted).toContain('\x1b')
    expect(stripVTControlCharacters(painted)).toBe(tellAll(60))
  })
})

test('to a program the escrows are told without what is for people', () => {
  const lines: string[] = []
  jsonTeller((line) => lines.push(line)).end(ending, server(false))
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    ok: true,
    escrows: ending.escrows.map(({ end }) => end),
  })
})
