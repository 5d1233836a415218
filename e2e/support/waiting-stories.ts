import { DOMAIN_STORIES, endDomains } from './waiting-domains.ts'
import { readStates, type Story, type Told, type WaitingLife } from './waiting-life.ts'
import { endNames, NAME_STORIES } from './waiting-names.ts'
import type { WaitingStory } from './waiting-steps.ts'

const STORIES: Record<WaitingStory, Story> = { ...NAME_STORIES, ...DOMAIN_STORIES }

/** Brings everything to where the story begins. `tag` is new each time. */
export function prepareStory(life: WaitingLife, story: WaitingStory, tag: string): Promise<Told> {
  return STORIES[story](life, tag)
}

/** What earlier stories have done to the world is over, and nothing of theirs goes on for ever. */
export async function endStories(life: WaitingLife): Promise<void> {
  life.edges.answerAll()
  life.edges.leaveStrangersOut()
  life.edges.shown.clear()
  const { names, domains } = await readStates(life.database)
  await endNames(life, names)
  endDomains(life, domains)
}
