import { isIP } from 'node:net'

/** A DNS server by its IP address; names are not accepted, because looking them up would need a DNS server. */
export type ServerAddress = { readonly address: string; readonly port: number }

/** Reads `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`; the port defaults to 53. */
export function parseServerAddress(text: string): ServerAddress {
  if (isIP(text) !== 0) return { address: text, port: 53 }
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]{1,5})$/.exec(text)
  const address = parts?.[1] ?? parts?.[2] ?? ''
  const port = Number(parts?.[3])
  const family = parts?.[1] === undefined ? 4 : 6
  if (isIP(address) !== family || !(port >= 1 && port <= 65_535)) {
    throw new TypeError(`not the address of a DNS server: ${JSON.stringify(text)}`)
  }
  return { address, port }
}

export function formatServerAddress({ address, port }: ServerAddress): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`
}
