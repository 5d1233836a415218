/**
 * What was meant by an invoice, an offer or a name that a person has pasted: white space comes along when copying, and
 * `lightning:` is a scheme that wallets still copy.
 */
export function bareText(given: string): string {
  return given.trim().replace(/^lightning:/i, '')
}
