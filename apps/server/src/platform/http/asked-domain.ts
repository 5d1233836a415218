import type { FastifyRequest } from 'fastify'

/**
 * Which domain a request to a `/.well-known/` address is about. One server answers for many: the Host header tells
 * (X-Forwarded-Host when it comes from a trusted proxy). Anybody can write that header, so it may only choose what is
 * public anyway. At the server's own public URL, when that is none of the domains, the first one is meant.
 */
export function makeAskedDomain({
  domains,
  publicUrl,
}: {
  domains: readonly string[]
  publicUrl: string
}): (request: Pick<FastifyRequest, 'host'>) => string {
  const own = new URL(publicUrl).hostname
  return ({ host }) => {
    const asked = hostnameOf(host)
    return asked === own && !domains.includes(asked) ? (domains[0] ?? asked) : asked
  }
}

/** In lower case, without port and final dot; empty when it is no host. */
function hostnameOf(host: string): string {
  const text = `http://${host}`
  return URL.canParse(text) ? new URL(text).hostname.replace(/\.$/, '') : ''
}
