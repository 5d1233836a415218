import type { FastifyReply } from 'fastify'

/** The bitcoin sign, drawn, because many machines have no font with ₿. */
const BITCOIN_SIGN_PATH = 'M4 4h8.5a4 4 0 0 1 0 8H7.5h6a4 4 0 0 1 0 8H4M7.5 4v16M9 1v3M13 1v3M9 20v3M13 20v3'
export const BITCOIN_SIGN = `<svg role="img" aria-label="₿" viewBox="3 0 15 24"><path d="${BITCOIN_SIGN_PATH}"/></svg>`

const ICON = encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1.5 0 24 24" fill="none" stroke="#d9871f" stroke-width="2.4"><path d="${BITCOIN_SIGN_PATH}"/></svg>`,
)

const STYLE = `
  :root { color-scheme: light dark; --ink: #1b1d22; --soft: #5b6270; --paper: #fbfaf7; --line: #dcd8cf; --gold: #b4690e }
  @media (prefers-color-scheme: dark) { :root { --ink: #eceae4; --soft: #a3a8b3; --paper: #16181c; --line: #33373f; --gold: #f0a63c } }
  body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.55 system-ui, sans-serif }
  main { max-width: 40rem; margin: 0 auto; padding: clamp(2rem, 8vw, 5rem) 1.25rem }
  h1 { font-size: clamp(1.9rem, 6vw, 2.6rem); line-height: 1.15; letter-spacing: -.02em; text-wrap: balance; margin: 0 0 1rem; overflow-wrap: anywhere }
  p { margin: 0 0 1.2rem } .soft { color: var(--soft) }
  a { color: inherit } a:hover, a:focus-visible { color: var(--gold) }
  b { color: var(--gold); font-weight: 600; white-space: nowrap }
  b svg { height: 1.02em; margin-right: .05em; vertical-align: -.17em; fill: none; stroke: currentColor; stroke-width: 2.4 }
  code { font-size: .88em; overflow-wrap: anywhere }
  pre { overflow-x: auto; border: 1px solid var(--line); border-radius: .6rem; padding: .9rem 1rem; font-size: .88rem }
  ul { list-style: none; padding: 0; margin: 2rem 0 0; border-top: 1px solid var(--line) }
  li { border-bottom: 1px solid var(--line) }
  li a { display: block; padding: .8rem 0; text-decoration: none }
  li span { display: block; color: var(--soft); font-size: .9rem }
`

/** `main` is HTML of our own: whatever comes from outside has been checked or escaped. */
export type Page = { readonly title: string; readonly main: string }

/** A page for people: static, without scripts, and it loads nothing. */
export function sendPage(reply: FastifyReply, { title, main }: Page): FastifyReply {
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    .send(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:image/svg+xml,${ICON}">
<style>${STYLE}</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`)
}

/** Whether a browser asks: a program that wants JSON does not name HTML. */
export function wantsPage(accept: string | undefined): boolean {
  return accept !== undefined && /(^|[\s,])text\/html([\s;,]|$)/i.test(accept)
}
