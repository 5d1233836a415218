import { escrowLine } from './escrow/escrow-lines.ts'
import { escrowProofs } from './escrow/escrow-proofs.ts'
import type { PlayedEscrow } from './escrow/play-escrows.ts'
import { type Look, PLAIN, painter, row, unbroken, wrap } from './layout.ts'
import type { RunningServer } from './running-server.ts'
import { showMsat } from './show-amount.ts'
import type { Ending as NameEnding, Tell } from './story.ts'

/** What both parts of the story came to. */
export type Ending = NameEnding & { readonly escrows: readonly PlayedEscrow[] }

/** How the story is told: to a person in the terminal, or to a program line by line. */
export type Teller = {
  tell: Tell
  end(ending: Ending, server: RunningServer): void
  fail(code: string, words: string): void
}

type Print = (line: string) => void

/** One JSON object a line; the last one has `ok`. */
export function jsonTeller(print: Print): Teller {
  const line = (value: object) =>
    print(JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? String(item) : item)))
  return {
    tell: (step, facts) => line({ step, ...facts }),
    end: ({ feeMsat, recordName, escrows, ...ending }) =>
      line({ ok: true, ...ending, feeMsat, recordName, escrows: escrows.map(({ end }) => end) }),
    fail: (code, message) => line({ ok: false, code, message }),
  }
}

/** `[step]: what to say of it`. A step that is not here is for programs only. */
const LINES: Record<string, (facts: Record<string, unknown>) => string> = {
  'server-found': ({ url }) => `The server at ${url} is running.`,
  'server-starting': () => 'No server is running: starting one (a few seconds) ...',
  'server-ready': ({ url, ms }) => `It is ready at ${url} after ${ms} ms.`,
  'name-requested': () => 'Alice asks for her name with one signed request.',
  'name-already-registered': ({ name }) => `Alice holds ${name} already.`,
  progress: ({ percent, step }) =>
    `  ${bar(Number(percent))} ${String(percent).padStart(3)} %  ${String(step)}`,
  'name-active': ({ name, ms }) => `${name} is live: signed, published, validated (${ms} ms).`,
  'name-resolved': ({ ms }) =>
    `Bob resolves the name and checks every signature from the root down (${ms} ms).`,
  paid: ({ amountMsat, feeMsat, ms }) =>
    `Bob pays ${showMsat(amountMsat)} over Lightning, fee ${showMsat(feeMsat)} (${ms} ms).`,
}

export function terminalTeller(print: Print, complain: Print, look: Look = PLAIN): Teller {
  const paint = painter(look)
  return {
    tell(step, facts) {
      const line = LINES[step]
      if (line) print(wrap(line(facts), look, '  ', '    '))
      const escrow = escrowLine(step, facts, paint)
      if (escrow?.heading) print(`\n${wrap(escrow.text, look, '  ', '  ')}`)
      else if (escrow) print(wrap(escrow.text, look, `  ${escrow.mark} `, '    '))
    },
    end(ending, { dns, isOurs, dataDir }) {
      print(nameProof(ending, dns, look))
      print(escrowProofs(ending.escrows, { look, paint, dataDir }))
      if (isOurs)
        print(
          `${wrap('The server ends now. To ask it yourself, keep one running with npm start.', look, '  ', '  ')}\n`,
        )
    },
    fail: (code, words) => complain(`\n  ${code}: ${words}`),
  }
}

function nameProof(ending: Ending, { host, port, anchorFile }: RunningServer['dns'], look: Look): string {
  const { name, offer, recordName, paymentHash, preimage } = ending
  const { merchantBefore, merchantAfter, buyerBefore, buyerAfter } = ending
  const rows: [string, string][] = [
    ['Name', `₿${name}`],
    ['Offer', `${offer.slice(0, 48)}…`],
    ['Record', unbroken(`dig @${host} -p ${port} +dnssec TXT ${recordName}`)],
    ['', unbroken(`delv @${host} -p ${port} -a ${anchorFile} +root=. TXT ${recordName}`)],
    ['Payment', unbroken(`hash      ${paymentHash}`)],
    ['', unbroken(`preimage  ${preimage}`)],
    ['', 'from Bob’s device; the server never has it'],
    ['Merchant', `${showMsat(merchantBefore)} → ${showMsat(merchantAfter)}`],
    ['Buyer', `${showMsat(buyerBefore)} → ${showMsat(buyerAfter)}`],
  ]
  return `\n  Proof of the name\n\n${rows.map(([label, value]) => row(label, value, look, '    ')).join('\n')}\n`
}

function bar(percent: number) {
  const full = Math.round(percent / 5)
  return '█'.repeat(full) + '░'.repeat(20 - full)
}
