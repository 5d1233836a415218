/**
 * Reads decimal BTC as JSON writes it, exactly, into satoshi; an exponent is understood. `null` when it is no number
 * or has a part smaller than a satoshi.
 */
export function parseBtc(text: string): bigint | null {
  const match = /^(-?)(\d{1,20})(?:\.(\d{1,20}))?(?:[eE]([+-]?\d{1,2}))?$/.exec(text)
  if (match === null) return null
  const [, sign, whole, fraction = '', exponent = '0'] = match
  const shift = 8 + Number(exponent) - fraction.length
  const digits = BigInt(`${whole}${fraction}`)
  const satoshi = shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift)
  if (shift < 0 && satoshi * 10n ** BigInt(-shift) !== digits) return null
  return sign === '-' ? -satoshi : satoshi
}

/** Satoshi as decimal BTC with eight places, as bitcoind writes amounts. */
export function formatBtc(satoshi: bigint): string {
  const digits = (satoshi < 0n ? -satoshi : satoshi).toString().padStart(9, '0')
  return `${satoshi < 0n ? '-' : ''}${digits.slice(0, -8)}.${digits.slice(-8)}`
}
