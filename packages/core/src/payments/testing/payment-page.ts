import { isRefusal } from '../../refusals.ts'
import { decidePayment } from '../payment-machine.ts'
import { PAYMENT_PHASES, type PaymentCommand, type PaymentEffect } from '../payment-states.ts'
import { attemptOf, commands, failed, NOW, type Phase, reach, said } from './payment-cases.ts'

/** Ids are left, so that what may pass is tried again. */
const SPARE = { spareNodePaymentIds: ['22'.repeat(32), '33'.repeat(32)] }

/** `docs/state-machines/payments.md`: what `decidePayment` answers in every phase to every command. */
export function paymentPage(): string {
  return [
    ...HEAD,
    '```mermaid',
    'stateDiagram-v2',
    '  [*] --> resolving: request to a name',
    '  [*] --> sending: request to anything else, or to a name that is remembered',
    ...arrows(),
    '```',
    '',
    ...PAYMENT_PHASES.flatMap(phaseTable),
  ].join('\n')
}

const HEAD = [
  '# The life of a payment',
  '',
  'Made from `packages/core/src/payments` by running `decidePayment` over every phase and command, before the deadline',
  'and with ids left; `npm test` fails when this page says something else. `vitest run packages/core/src/payments -u`',
  'writes it anew.',
  '',
  'A request may be refused; a report never is, and what is not listed changes nothing. **Bold** is the phase that',
  'follows, then the effects that are asked for. After the deadline the node is only asked, never to pay; what it has',
  'not heard of a minute later was never sent and has failed. Why a payment is tried again, and when:',
  '[decision 14](../adr/0014-a-payment-is-tried-again-under-another-id.md).',
  '',
]

type Outcome = { phase: Phase; effects: readonly PaymentEffect[]; changed: boolean; cause: string }

function outcomeOf(phase: Phase, command: PaymentCommand): Outcome | null {
  const before = reach(phase, SPARE)
  const decision = decidePayment(before, command, NOW + 1)
  if (isRefusal(decision)) return null
  const { state, effects } = decision
  const cause = state.phase === 'failed' && state !== before ? ` \`${state.cause}\`` : ''
  return { phase: state.phase, effects, changed: state !== before, cause }
}

function reports(phase: Phase): [string, Outcome][] {
  const attempt = attemptOf(reach(phase, SPARE))
  const all: Record<string, PaymentCommand> = {
    ...commands(attempt),
    failed: said({ state: 'failed', paymentHash: null, reason: 'rejected' }, attempt),
    'failed, but that may pass': { ...failed, attempt } as PaymentCommand,
  }
  return Object.entries(all)
    .filter(([name]) => name !== 'request' && !name.startsWith('an old'))
    .map(([name, command]): [string, Outcome | null] => [name, outcomeOf(phase, command)])
    .filter((row): row is [string, Outcome] => {
      const outcome = row[1]
      return outcome !== null && (outcome.changed || outcome.effects.length > 0)
    })
}

function arrows(): string[] {
  return PAYMENT_PHASES.flatMap((phase) =>
    reports(phase)
      .filter(([, outcome]) => outcome.phase !== phase)
      .map(([name, outcome]) => `  ${phase} --> ${outcome.phase}: ${name}`),
  )
}

function phaseTable(phase: Phase): string[] {
  const rows = reports(phase).map(([name, { phase: next, effects, cause }]) => {
    const asked = effects.map(({ kind }) => kind).join(', ')
    return `| ${name} | **${next}**${cause}${asked === '' ? '' : `; ${asked}`} |`
  })
  if (rows.length === 0) return [`## ${phase}`, '', 'The end.', '']
  return [`## ${phase}`, '', '| hears | leads to |', '|---|---|', ...rows, '']
}
