import type { RunningServer } from './running-server.ts'
import type { Ending, Tell } from './story.ts'

/** How the story is told: to a person in the terminal, or to a program line by line. */
export type Teller = {
  tell: Tell
  end(ending: Ending, server: RunningServer): void
  fail(code: string, error: Error): void
}

type Print = (line: string) => void

/** One JSON object a line; the last one has `ok`. */
export function jsonTeller(print: Print): Teller {
  const line = (value: object) =>
    print(JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? String(item) : item)))
  return {
    tell: (step, facts) => line({ step, ...facts }),
    end: ({ feeMsat, recordName, ...ending }) => line({ ok: true, ...ending, feeMsat, recordName }),
    fail: (code, error) => line({ ok: false, code, message: error.message }),
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
    `Bob pays ${msat(amountMsat)} over Lightning, fee ${msat(feeMsat)} (${ms} ms).`,
}

export function terminalTeller(print: Print, complain: Print): Teller {
  return {
    tell(step, facts) {
      const line = LINES[step]
      if (line) print(`  ${line(facts)}`)
    },
    end(ending, { dns, isOurs }) {
      print(proof(ending, dns))
      if (isOurs) print('  The server ends now. To ask it yourself, keep one running with npm start.\n')
    },
    fail: (code, error) => complain(`\n  ${code}: ${error.message}`),
  }
}

function proof(ending: Ending, { host, port, anchorFile }: RunningServer['dns']) {
  const { name, offer, recordName, paymentHash, preimage } = ending
  return `
  Proof

    Name       ₿${name}
    Offer      ${offer.slice(0, 48)}…
    Record     dig @${host} -p ${port} +dnssec TXT ${recordName}
               delv @${host} -p ${port} -a ${anchorFile} +root=. TXT ${recordName}
    Payment    hash      ${paymentHash}
               preimage  ${preimage}   (from Bob's device; the server never has it)
    Merchant   ${msat(ending.merchantBefore)} → ${msat(ending.merchantAfter)}
    Buyer      ${msat(ending.buyerBefore)} → ${msat(ending.buyerAfter)}
`
}

function bar(percent: number) {
  const full = Math.round(percent / 5)
  return '█'.repeat(full) + '░'.repeat(20 - full)
}

/** Whole satoshi with thin groups, and the rest of a satoshi as decimals. */
function msat(value: unknown) {
  const amount = BigInt(String(value))
  const rest = amount % 1000n
  const sat = String(amount / 1000n).replace(/\B(?=(\d{3})+$)/g, ' ')
  return `${sat}${rest ? `.${String(rest).padStart(3, '0')}` : ''} sat`
}
