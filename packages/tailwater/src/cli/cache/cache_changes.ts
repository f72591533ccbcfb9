import type { Invalidation } from '@tailwater/cache'
import { TailwaterError } from '@tailwater/core'
import { requestWarming } from '../../platform/warm_requests.ts'
import type { Answer, Call } from '../command_family.ts'
import { listOf, textOf } from '../option_values.ts'
import type { CacheTools } from './cache_tools.ts'

const NAMESPACE = /^[a-z][a-z0-9-]{0,63}$/

/** Makes every process forget. */
export async function invalidate({ cache }: CacheTools, call: Call): Promise<Answer> {
  const keys = listOf(call, 'key')
  const tags = listOf(call, 'tag')
  const pattern = textOf(call, 'pattern')
  const namespace = textOf(call, 'namespace')
  const all = call.options['all'] === true
  if (keys.length + tags.length === 0 && pattern === undefined && !all)
    throw wrong('say what: at least one of --key, --tag, --pattern and --all')
  if (namespace !== undefined) checkNamespace(namespace)
  const what: Invalidation = {
    keys,
    tags,
    all,
    ...(pattern === undefined ? {} : { pattern }),
    ...(namespace === undefined ? {} : { namespace }),
  }
  await cache.invalidate(what)
  if ((cache.stats().far?.pendingInvalidations ?? 0) > 0)
    throw new TailwaterError('E_CACHE_UNTOLD', 'the far tier does not answer, and was not told')
  if (cache.stats().untold > 0)
    throw new TailwaterError('E_CACHE_UNTOLD', 'the bus does not answer, and the other processes were not told')
  return {
    value: { invalidated: what },
    lines: ['Invalidated, in every process.'],
    change: { action: 'cacheInvalidate', target: namespace ?? '*', fields: { keys: keys.length, tags, pattern, all } },
  }
}

/** Asks every process to warm a namespace. */
export async function warm({ bus }: CacheTools, { words }: Call): Promise<Answer> {
  const [namespace = ''] = words
  checkNamespace(namespace)
  await requestWarming(bus, namespace)
  return {
    value: { requested: namespace },
    lines: [`Every running process that defines '${namespace}' was asked to warm it; their logs say what came of it.`],
    change: { action: 'cacheWarm', target: namespace, fields: {} },
  }
}

function checkNamespace(namespace: string): void {
  if (!NAMESPACE.test(namespace)) throw wrong(`a namespace is a lower-case word, got '${namespace}'`)
}

function wrong(message: string) {
  return new TailwaterError('E_OPTIONS', message)
}
