import { lruCacheSubjects } from './lru_cache_subject.ts'
import { nearTierSubject } from './near_tier_subject.ts'
import type { CreateSubject } from './subject.ts'

/** Ours and the peers by their names. @throws for a name that none has */
export async function findSubject(name: string): Promise<CreateSubject> {
  const found = [nearTierSubject, ...(await lruCacheSubjects())].find((subject) => subject.name === name)
  if (!found) throw new Error(`there is no cache ${name}`)
  return found
}
