import type { App } from './platform/http/app.ts'
import { BITCOIN_SIGN, sendPage } from './platform/http/page.ts'

/** The page at `/`: what this server is and where to go on. */
export function addWelcomePage(app: App, { domains }: { domains: readonly string[] }): void {
  const page = { title: 'Holdfast', main: welcome(domains) }
  app.get('/', { schema: { hide: true } }, async (_request, reply) => sendPage(reply, page))
}

/** `domains` comes from the checked configuration: letters, digits, hyphens and dots only. */
function welcome(domains: readonly string[]): string {
  const [domain = 'shop.test'] = domains
  return `<h1>One name that anybody can pay. Escrow that nobody can take.</h1>
<p>Holdfast gives every user of a marketplace a name such as <b>${BITCOIN_SIGN}alice@${domain}</b>: a BOLT 12 offer in DNSSEC-signed
DNS, paid over Lightning to a node whose keys stay with its owner.</p>
<p>An order is paid into an escrow that is locked to the worker’s own payment hash. Nobody alone, the operator of this
server included, can take the money.</p>
<p class="soft">Names are registered here in: ${domains.join(', ')}</p>
<pre>npm run demo</pre>
<ul>
<li><a href="/docs">API<span>Names and payments: every request and answer, to read and to try</span></a></li>
<li><a href="/schema.graphql">GraphQL<span>Tasks and escrow: the schema of <code>/graphql</code></span></a></li>
<li><a href="/openapi.json">OpenAPI<span>The API for programs</span></a></li>
<li><a href="/problems">Problems<span>Every error code and what to do about it</span></a></li>
<li><a href="/ready">Readiness<span>Whether everything this server needs works right now</span></a></li>
</ul>`
}
