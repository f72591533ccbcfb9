import type { CommandFamily } from '../command_family.ts'
import { manyTexts, texts } from '../option_values.ts'
import { invalidate, warm } from './cache_changes.ts'
import { checkHealth, probe } from './cache_checks.ts'
import { keys, stats } from './cache_content.ts'
import { type CacheTools, openCacheTools } from './cache_tools.ts'

/** `tailwater cache …` */
export const cacheFamily: CommandFamily<CacheTools> = {
  name: 'cache',
  open: openCacheTools,
  commands: {
    stats: { usage: '', says: 'keys and bytes of each namespace in the far tier', words: [0, 0], run: stats },
    health: {
      usage: '',
      says: 'whether the far tier and the bus answer, and how soon; exit code 1 when one does not',
      words: [0, 0],
      run: checkHealth,
    },
    keys: {
      usage: "[PATTERN] [--limit N]   such as 'product:*'",
      says: 'keys of the far tier, with their size and how long they have yet',
      words: [0, 1],
      options: texts('limit'),
      run: keys,
    },
    invalidate: {
      usage: '[--key KEY]… [--tag TAG]… [--pattern PATTERN] [--all] [--namespace NAME]',
      says: 'makes every process forget; keys and patterns are those of a namespace, by default that of `default`',
      words: [0, 0],
      options: { key: manyTexts, tag: manyTexts, all: { type: 'boolean' }, ...texts('pattern', 'namespace') },
      run: invalidate,
    },
    warm: {
      usage: '<NAMESPACE>',
      says: 'asks every running process to load what the namespace says is worth having',
      words: [1, 1],
      run: warm,
    },
    test: {
      usage: '',
      says: 'writes, reads and deletes a key of its own in the far tier, and says how long each took',
      words: [0, 0],
      run: probe,
    },
  },
}
