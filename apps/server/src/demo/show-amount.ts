/** Whole satoshi in groups, and the rest of a satoshi as decimals. The spaces within do not break. */
export function showMsat(value: unknown): string {
  const amount = BigInt(String(value))
  const rest = amount % 1000n
  const sat = String(amount / 1000n).replace(/\B(?=(\d{3})+$)/g, '\u00a0')
  return `${sat}${rest ? `.${String(rest).padStart(3, '0')}` : ''}\u00a0sat`
}
