/** RFC 4034 §3.1.5: signature times are serial numbers of 32 bits (RFC 1982), so that 2106 is no end. */
const MODULUS = 2 ** 32
const HALF = 2 ** 31

/** How far `to` lies after `from`, in seconds, between -2^31 and 2^31 - 1. */
export function serialDistance(from: number, to: number): number {
  const distance = (((to - from) % MODULUS) + MODULUS) % MODULUS
  return distance < HALF ? distance : distance - MODULUS
}

export type Window = 'valid' | 'expired' | 'not-yet-valid'

/** RFC 4035 §5.3.1: inception ≤ now ≤ expiration, the latter with the grace that the caller allows. */
export function signatureWindow(
  { inception, expiration }: { inception: number; expiration: number },
  nowSeconds: number,
  expiryGraceSeconds = 0,
): Window {
  if (serialDistance(nowSeconds, expiration) < -expiryGraceSeconds) return 'expired'
  if (serialDistance(inception, nowSeconds) < 0) return 'not-yet-valid'
  return serialDistance(inception, expiration) < 0 ? 'expired' : 'valid'
}
