/** Seconds since 1970. */
export function nowSeconds(at: Date = new Date()): number {
  return Math.floor(at.getTime() / 1000)
}
