import { setTimeout as sleep } from 'node:timers/promises'
import type { EscrowCast } from './begin-escrow.ts'

const LOOK_EVERY_MS = 60
const LOOKS_AT_MOST = 30

export type Balances = { readonly buyerMsat: bigint; readonly workerMsat: bigint }

export async function readBalances({ buyer, worker }: EscrowCast): Promise<Balances> {
  return { buyerMsat: await buyer.device.balanceMsat(), workerMsat: await worker.device.balanceMsat() }
}

/** What both wallets can spend, once two looks agree: the last messages of a payment follow its end by some ms. */
export async function settledBalances(cast: EscrowCast): Promise<Balances> {
  let seen = await readBalances(cast)
  for (let looks = 1; looks < LOOKS_AT_MOST; looks++) {
    await sleep(LOOK_EVERY_MS)
    const now = await readBalances(cast)
    if (now.buyerMsat === seen.buyerMsat && now.workerMsat === seen.workerMsat) break
    seen = now
  }
  return seen
}
