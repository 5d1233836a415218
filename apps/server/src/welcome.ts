import type { App } from './platform/http/app.ts'

/** The page at `/`: what this server is and where to go on. Static, without scripts. */
export function addWelcomePage(app: App, { domains }: { domains: readonly string[] }): void {
  const html = page(domains)
  app.get('/', { schema: { hide: true } }, async (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      .send(html),
  )
}

/** Drawn, because many machines have no font with ₿. */
const BITCOIN_SIGN =
  '<svg role="img" aria-label="₿" viewBox="3 0 15 24"><path d="M4 4h8.5a4 4 0 0 1 0 8H7.5h6a4 4 0 0 1 0 8H4M7.5 4v16M9 1v3M13 1v3M9 20v3M13 20v3"/></svg>'

/** `domains` comes from the checked configuration: letters, digits, hyphens and dots only. */
function page(domains: readonly string[]): string {
  const [domain = 'shop.test'] = domains
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Holdfast</title>
<style>
  :root { color-scheme: light dark; --ink: #1b1d22; --soft: #5b6270; --paper: #fbfaf7; --line: #dcd8cf; --gold: #b4690e }
  @media (prefers-color-scheme: dark) { :root { --ink: #eceae4; --soft: #a3a8b3; --paper: #16181c; --line: #33373f; --gold: #f0a63c } }
  body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.55 system-ui, sans-serif }
  main { max-width: 40rem; margin: 0 auto; padding: clamp(2rem, 8vw, 5rem) 1.25rem }
  h1 { font-size: clamp(1.9rem, 6vw, 2.6rem); line-height: 1.15; letter-spacing: -.02em; text-wrap: balance; margin: 0 0 1rem }
  p { margin: 0 0 1.2rem } .soft { color: var(--soft) }
  b { color: var(--gold); font-weight: 600; white-space: nowrap }
  b svg { height: 1.02em; margin-right: .05em; vertical-align: -.17em; fill: none; stroke: currentColor; stroke-width: 2.4 }
  pre { overflow-x: auto; border: 1px solid var(--line); border-radius: .6rem; padding: .9rem 1rem; font-size: .88rem }
  ul { list-style: none; padding: 0; margin: 2rem 0 0; border-top: 1px solid var(--line) }
  li { border-bottom: 1px solid var(--line) }
  li a { display: block; padding: .8rem 0; color: inherit; text-decoration: none }
  li a:hover, li a:focus-visible { color: var(--gold) }
  li span { display: block; color: var(--soft); font-size: .9rem }
</style>
</head>
<body>
<main>
<h1>One name that anybody can pay.</h1>
<p>Holdfast gives every user of a marketplace a name such as <b>${BITCOIN_SIGN}alice@${domain}</b>: a BOLT 12 offer in DNSSEC-signed
DNS, paid over Lightning to a node whose keys stay with its owner.</p>
<p class="soft">Names are registered here in: ${domains.join(', ')}</p>
<pre>npm run demo</pre>
<ul>
<li><a href="/docs">API<span>Every request and answer, to read and to try</span></a></li>
<li><a href="/openapi.json">OpenAPI<span>The same for programs</span></a></li>
<li><a href="/problems">Problems<span>Every error code and what to do about it</span></a></li>
<li><a href="/ready">Readiness<span>Whether everything this server needs works right now</span></a></li>
</ul>
</main>
</body>
</html>
`
}
