import { type Look, type Paint, row, unbroken, wrap } from '../layout.ts'
import { showMsat } from '../show-amount.ts'
import type { EscrowEnd } from './outcome.ts'
import type { PlayedEscrow } from './play-escrows.ts'

/** What anybody can check of the escrows afterwards. */
export function escrowProofs(
  escrows: readonly PlayedEscrow[],
  { look, paint, dataDir }: { look: Look; paint: Paint; dataDir: string },
): string {
  const blocks = escrows.map(({ taskId, end }) => {
    const rows: [string, string][] = [
      ['Lock', `${end.fundingHash} (${end.custody})`],
      ['Preimage', end.preimage ?? 'none: the money went back'],
      ['Money', moneyOf(end)],
      ['Journal', end.journalHead],
      ['Audit', unbroken(`npx holdfast audit verify ${taskId} --data ${dataDir}`)],
    ]
    const title = `    ${paint('bold', end.outcome)}`
    return [title, ...rows.map(([label, value]) => row(label, value, look, '      '))].join('\n')
  })
  const note = wrap(
    'The SHA-256 of a preimage is its lock. Dave’s own wallet shows them, as proofs of payment. Neither the database nor the journal ever has one.',
    look,
    '    ',
    '    ',
  )
  return `  Proof of the escrows\n\n${blocks.join('\n\n')}\n\n${note}\n`
}

function moneyOf({ heldMsat, paidMsat, feeMsat }: EscrowEnd): string {
  const backMsat = BigInt(heldMsat) - BigInt(paidMsat) - BigInt(feeMsat)
  const parts = [
    `${showMsat(paidMsat)} to Carol`,
    `${showMsat(feeMsat)} fee`,
    `${showMsat(backMsat)} back to Dave`,
  ]
  return `${showMsat(heldMsat)} held: ${parts.join(', ')}`
}
