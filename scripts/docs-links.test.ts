import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const PAGES = ['.', 'docs', 'packages', 'apps'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: folder !== '.', encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.includes('node_modules'))
    .map((file) => join(folder, file)),
)

type Link = { readonly to: string; readonly anchor: string | undefined }

function linksOf(page: string): Link[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] as string)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = '', anchor] = target.split('#')
      return { to: path === '' ? page : normalize(join(dirname(page), path)), anchor }
    })
}

/** The anchors that GitHub gives to a page's headings. */
function anchorsOf(page: string): string[] {
  const headings = readFileSync(join(root, page), 'utf8').match(/^#+ .*$/gm) ?? []
  return headings.map((heading) =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

test.each(PAGES)('every link of %s leads to what is there', (page) => {
  const broken = linksOf(page).filter(
    ({ to, anchor }) =>
      !existsSync(join(root, to)) || (anchor !== undefined && !anchorsOf(to).includes(anchor)),
  )
  expect(broken).toEqual([])
})

test.each([
  ['docs/README.md', /^(docs\/(?!adr\/0)|packages|apps)/],
  ['docs/adr/README.md', /^docs\/adr\//],
])('%s names every page that it stands for', (index, its) => {
  const named = linksOf(index).map(({ to }) => to)
  expect(PAGES.filter((page) => its.test(page) && page !== index && !named.includes(page))).toEqual([])
})
