import { REFUSALS, type RefusalCode, refuse } from '@holdfast/core'
import { escapeXml } from '@holdfast/protocols/escape-xml'
import { z } from 'zod'
import type { App } from './app.ts'
import { sendPage, wantsPage } from './page.ts'
import { orThrow } from './problem.ts'

const catalogueEntry = z.strictObject({
  code: z.string(),
  status: z.number().int(),
  title: z.string(),
  hint: z.string(),
})
type CatalogueEntry = z.infer<typeof catalogueEntry>

const CODES = Object.keys(REFUSALS) as RefusalCode[]
const entryOf = (code: RefusalCode): CatalogueEntry => ({ code, ...REFUSALS[code] })

/** What every `type` of a problem leads to: JSON for programs, a page for people. */
export function addProblemRoutes(app: App): void {
  app.get(
    '/problems',
    {
      schema: {
        summary: 'All codes of refusals.',
        tags: ['operation'],
        response: { 200: z.array(catalogueEntry) },
      },
    },
    async ({ headers }, reply) => {
      reply.header('vary', 'accept')
      return wantsPage(headers.accept) ? sendPage(reply, allProblems()) : CODES.map(entryOf)
    },
  )
  app.get(
    '/problems/:code',
    {
      schema: {
        summary: 'What a code means and what to do.',
        tags: ['operation'],
        params: z.strictObject({ code: z.string() }),
        response: { 200: catalogueEntry },
      },
    },
    async ({ params, headers }, reply) => {
      const known = CODES.find((code) => code === params.code)
      const entry = entryOf(known ?? orThrow<RefusalCode>(refuse('ROUTE_NOT_FOUND')))
      reply.header('vary', 'accept')
      return wantsPage(headers.accept) ? sendPage(reply, oneProblem(entry)) : entry
    },
  )
}

function allProblems() {
  const entries = CODES.map(entryOf).map(
    ({ code, status, title, hint }) =>
      `<li><a href="/problems/${code}"><code>${code}</code> ${status}<span>${escapeXml(`${title} ${hint}`)}</span></a></li>`,
  )
  return {
    title: 'Problems',
    main: `<h1>Problems</h1>
<p class="soft">Every refusal has one of these codes, with its HTTP status. They do not change; the words may.</p>
<ul>
${entries.join('\n')}
</ul>`,
  }
}

function oneProblem({ code, status, title, hint }: CatalogueEntry) {
  return {
    title: code,
    main: `<h1>${code}</h1>
<p>${escapeXml(title)}</p>
<p>${escapeXml(hint)}</p>
<p class="soft">HTTP status ${status}. <a href="/problems">All codes</a></p>`,
  }
}
