/** Where a server on this host and port is reached. RFC 3986 section 3.2.2: an IPv6 address stands in brackets. */
export function serverUrl(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
